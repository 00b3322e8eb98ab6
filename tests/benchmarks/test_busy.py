"""The comparison runs clips beside processes that are really busy, and leaves none of them behind."""

from __future__ import annotations

import json
import time
from pathlib import Path

import psutil
import pytest

from benchmarks import busy
from benchmarks.mid_model import write_models
from tests.benchmarks.tiny import TINY


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write_models(tmp_path / "tiny", TINY)
    own = ["--beats", str(files.beats), "--mapper", str(files.mapper), "--t2v", str(files.t2v)]
    small = ["--frames", "3", "--steps", "1", "--size", "16"]
    assert busy.main(["--runs", "1", "--json", *own, *small]) == 0
    facts = json.loads(capsys.readouterr().out)
    for place in ("alone", "busy"):
        assert list(facts["seconds"][place]) == ["default", "pack"]
        for policy, (seconds,) in facts["seconds"][place].items():
            assert facts["median"][place][policy] == seconds > 0
        median = facts["median"][place]
        assert facts["ratio"][place] == pytest.approx(median["default"] / median["pack"])
    lines = busy.as_text(facts).splitlines()
    assert [line.split("  ")[0] for line in lines[2:]] == [
        "seconds a clip, median of 1",
        "threads wait as by default",
        "threads wait as by pack",
        "ratio",
    ]


def test_what_fails_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert busy.main(["--frames", "0"]) == 1
    assert "0 is below 1" in capsys.readouterr().err


def test_neighbours_are_busy_and_go() -> None:
    before = set(psutil.Process().children())
    with busy.busy_neighbours(2):
        mine = set(psutil.Process().children()) - before
        assert len(mine) == 2
        started = time.monotonic()
        while min(sum(child.cpu_times()[:2]) for child in mine) < 0.3:
            assert time.monotonic() - started < 60, "not busy"
            time.sleep(0.05)
    assert not any(child.is_running() for child in mine)
