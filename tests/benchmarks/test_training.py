"""The training benchmark compares the two ways and measures memory, at sizes that take no time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.mid_model import write_models
from benchmarks.training import as_text, main
from tests.benchmarks.tiny import TINY
from tests.training.media import write_clip


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write_models(tmp_path / "models", TINY)
    arguments = ["--beats", str(files.beats), "--t2v", str(files.t2v), "--steps", "2", "--batch", "1"]
    assert main([*arguments, "--frames", "5", "--size", "16", "--json", "--no-memory"]) == 0
    facts: dict[str, Any] = json.loads(capsys.readouterr().out)
    seconds = facts["seconds_per_step"]
    assert facts["speedup"] == seconds["encoding"] / seconds["cached"]
    assert facts["memory_bytes"] == {}
    assert facts["unet_parameters"] > 10_000
    assert facts["job"]["batch"] == 1
    text = as_text(facts | {"memory_bytes": {"checkpointing": 3 * 2**20}})
    assert f"{facts['speedup']:.2f}" in text
    assert "3 MiB, checkpointing" in text
    assert main([*arguments, "--frames", "4", "--size", "12"]) == 1
    assert "data.width" in capsys.readouterr().err


def test_memory_of_a_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(tmp_path / "clips" / "a.mp4")
    files = write_models(tmp_path / "models", TINY)
    values = {
        "output_dir": str(tmp_path / "run"),
        "models": {"beats": str(files.beats), "t2v": str(files.t2v)},
        "data": {
            "layout": "folder",
            "root": str(tmp_path / "clips"),
            "num_frames": 5,
            "width": 16,
            "height": 16,
            "test_share": 0.0,
        },
        "mapper": {"hidden_size": 16},
        "run": {"workers": 0},
    }
    assert main(["--child", json.dumps(values)]) == 0
    # At this size the step takes less than what the process gives back meanwhile: the sum may be below 0.
    assert abs(int(capsys.readouterr().out.splitlines()[-1])) < 2**30
