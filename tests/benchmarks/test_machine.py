"""What a measurement says of the machine."""

from __future__ import annotations

import torch

from benchmarks.machine import describe_machine, resident_bytes

SIZE = 2**27


def test_resident_memory_follows_what_is_held() -> None:
    before, _ = resident_bytes()
    held = torch.ones(SIZE, dtype=torch.uint8)
    now, _ = resident_bytes()
    assert SIZE * 0.9 < now - before < SIZE * 1.5
    del held
    after, peak = resident_bytes()
    assert after < before + SIZE * 0.1
    assert peak > after + SIZE * 0.8


def test_machine() -> None:
    machine = describe_machine()
    assert machine["threads"] == torch.get_num_threads()
    assert machine["torch"] == torch.__version__
    assert machine["processor"]
