"""What a fresh process imports, and how it gets by without a torchaudio that works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = "{'torchaudio', 'soxr', 'librosa', 'cv2', 'transformers', 'diffusers', 'scipy'}"

# A torchaudio built for another torch raises OSError on import.
PROGRAM = f"""
import math, sys
import a2v_core.audio
assert not {HEAVY} & set(sys.modules), {HEAVY} & set(sys.modules)
import torch
from a2v_core.audio import resample
tone = lambda rate: torch.sin(2 * math.pi * 440 * torch.arange(rate) / rate)
out = resample(tone(48_000), 48_000, 16_000)
assert out.shape == (16_000,)
assert (out - tone(16_000))[500:-500].abs().max() < 5e-3
assert "soxr" in sys.modules
print("resampled")
"""


def test_light_import_and_soxr_in_place_of_a_broken_torchaudio(tmp_path: Path) -> None:
    (tmp_path / "torchaudio.py").write_text("raise OSError('undefined symbol: built for another torch')")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "resampled\n"), done.stderr
