"""What a measurement says of the machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import torch

from benchmarks.machine import describe_machine

ROOT = Path(__file__).resolve().parents[2]
SIZE = 2**27


PROGRAM = f"""
import json
import torch
from benchmarks.machine import resident_bytes

before, _ = resident_bytes()
held = torch.ones({SIZE}, dtype=torch.uint8)
during, _ = resident_bytes()
del held
print(json.dumps([before, during, *resident_bytes()]))
"""


def test_resident_memory_follows_what_is_held() -> None:
    """In a process of its own: in this one other tests may have left memory that is taken again."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    before, during, after, peak = json.loads(done.stdout)
    assert SIZE * 0.9 < during - before < SIZE * 1.5
    assert after < before + SIZE * 0.1
    assert peak > after + SIZE * 0.8


def test_machine() -> None:
    machine = describe_machine()
    assert machine["threads"] == torch.get_num_threads()
    assert machine["torch"] == torch.__version__
    assert machine["processor"]
