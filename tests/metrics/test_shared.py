"""A set scored by several: shares, and two processes with one folder; all as by one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from a2v_core.metrics.__main__ import main
from a2v_core.metrics.sets.log import CLIP_LOG
from a2v_core.metrics.sets.runner import LEASES
from a2v_core.workers import Share, sealed
from tests.metrics.media import write_set

ROOT = Path(__file__).resolve().parents[2]
CLIPS = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One short clip under six names, and one that is none."""
    return write_set(tmp_path_factory.mktemp("set") / "clips", CLIPS)


@pytest.fixture(scope="module")
def alone(folder: Path) -> dict[str, Any]:
    """The scores of one process, without curves."""
    out = folder.parent / "alone"
    assert main(["score", str(folder), "--fast", "--jobs", "1", "--out", str(out)]) == 3
    return scores(out)


def scores(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "scores.json").read_text())
    return found


def test_shares(folder: Path, alone: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Of one folder: each writes lines of the log, and whoever comes last has all and writes the tables."""
    out = folder.parent / "shares"
    own = [
        sum(Share(index, 2).has((folder / f"clip{number}.mp4").as_posix()) for number in range(CLIPS))
        for index in range(2)
    ]
    for index in range(2):
        command = ["score", str(folder), "--fast", "--jobs", "1", "--out", str(out), "--json"]
        assert main([*command, "--shard", f"{index}/2"]) in (0, 3)
        assert len(json.loads(capsys.readouterr().out)["clips"]) == own[index]
        assert not (out / "scores.json").exists()
    lines = (out / CLIP_LOG).read_text()
    assert main(["score", str(folder), "--fast", "--jobs", "1", "--out", str(out)]) == 3
    assert scores(out) == alone
    assert (out / CLIP_LOG).read_text() == lines


def test_two_at_a_time_and_one_is_killed(folder: Path, alone: dict[str, Any]) -> None:
    out = folder.parent / "two"
    command = [sys.executable, "-m", "a2v_core.metrics", "score", str(folder), "--fast", "--jobs", "1"]
    command += ["--out", str(out), "--no-progress"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        end = time.monotonic() + 120
        while not is_stopped_while_it_scores(first.pid, out / LEASES):
            assert first.poll() is None
            assert time.monotonic() < end
        os.kill(first.pid, signal.SIGKILL)
    with open(out / CLIP_LOG, "a") as log:
        log.write('{"key": {"half a')  # as if killed while it wrote
    assert main(command[3:]) == 3
    assert scores(out) == alone
    assert not list((out / LEASES).glob("*.lease"))


def is_stopped_while_it_scores(pid: int, leases: Path) -> bool:
    """Stop a process; where it has no lease of a clip then, or is just writing one, let it go on a moment."""
    os.kill(pid, signal.SIGSTOP)
    while psutil.Process(pid).status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
        time.sleep(0.001)
    if any(path.read_text() for path in leases.glob("*clip*.lease")):
        return True
    os.kill(pid, signal.SIGCONT)
    time.sleep(0.01)
    return False


def test_logs_of_others_are_read_and_spoilt_lines_are_not(folder: Path, alone: dict[str, Any]) -> None:
    out = folder.parent / "others"
    assert main(["score", str(folder), "--fast", "--jobs", "1", "--out", str(out)]) == 3
    lines = (out / CLIP_LOG).read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    entries[0]["record"]["trusted"] = 0.5  # and its checksum as before
    del entries[1]["sum"]
    entries[1]["record"]["roughness"] = 77.0  # as older versions wrote it: without
    del entries[2]["sum"]
    entries[2]["record"]["roughness"] = 78.0
    (out / "clips-2.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries[:2]))
    (out / CLIP_LOG).write_text("".join(json.dumps(sealed(entry)) + "\n" for entry in entries[2:3]))
    assert main(["score", str(folder), "--fast", "--jobs", "1", "--out", str(out)]) == 3
    found = {record["video"]: record for record in scores(out)["clips"]}
    changed = [entry["record"]["video"] for entry in entries[1:3]]
    assert [found[video]["roughness"] for video in changed] == [77.0, 78.0]
    assert [record for name, record in found.items() if name not in changed] == [
        record for record in alone["clips"] if record["video"] not in changed
    ]
