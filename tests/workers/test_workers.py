"""Two processes that stand for two machines: no unit lost, none doubled; one is killed and followed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from a2v_core.workers import Leases
from a2v_core.workers import leases as leases_module

ROOT = Path(__file__).resolve().parents[2]
UNITS = 12


@contextlib.contextmanager
def worker(folder: Path, seconds: float, lease: float) -> Iterator[subprocess.Popen[bytes]]:
    arguments = map(str, (folder, UNITS, seconds, lease))
    process = subprocess.Popen([sys.executable, "-m", "tests.workers.worker", *arguments], cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def events(folder: Path) -> list[list[str]]:
    log = folder / "log"
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def results(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("unit *")}


EXPECTED = {f"unit {number}": f"unit {number}" for number in range(UNITS)}


def test_two_workers_share_the_units(tmp_path: Path) -> None:
    with worker(tmp_path, 0.05, 10.0) as one, worker(tmp_path, 0.05, 10.0) as two:
        assert (one.wait(60), two.wait(60)) == (0, 0)
    assert results(tmp_path) == EXPECTED
    begun = Counter(f"unit {words[2]}" for words in events(tmp_path) if words[0] == "begin")
    assert begun == Counter(list(EXPECTED))
    assert len({words[3] for words in events(tmp_path)}) == 2
    assert list((tmp_path / "leases").iterdir()) == []


@pytest.mark.parametrize("far", [False, True])
def test_a_killed_worker_is_followed(tmp_path: Path, far: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """On this machine at once; `far`: as if it had run on another, after the lease."""
    lease = 2.0 if far else 30.0
    start = time.monotonic()
    with worker(tmp_path, 30.0, lease) as victim:
        wait_for(lambda: len(events(tmp_path)) == 1)
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
    (stale,) = (tmp_path / "leases").glob("*.lease")
    if far:
        words = stale.read_text().split()
        stale.write_text(f"{words[0]} another-machine {words[2]}\n")
    with worker(tmp_path, 0.0, lease) as heir:
        assert heir.wait(60) == 0
    assert results(tmp_path) == EXPECTED
    begun = Counter(f"unit {words[2]}" for words in events(tmp_path) if words[0] == "begin")
    assert begun == Counter(list(EXPECTED)) + Counter(["unit 0"])
    assert (time.monotonic() - start > 2.0) or not far
    assert list((tmp_path / "leases").glob("*.lease")) == []


def test_a_worker_that_stood_still_does_no_harm(tmp_path: Path) -> None:
    """It wakes up when another has done its unit: the results are whole, and every lease is gone."""
    with worker(tmp_path, 0.3, 1.0) as sleeper:
        wait_for(lambda: len(events(tmp_path)) == 1)
        os.kill(sleeper.pid, signal.SIGSTOP)
        with worker(tmp_path, 0.0, 1.0) as other:
            assert other.wait(60) == 0
        assert results(tmp_path) == EXPECTED
        os.kill(sleeper.pid, signal.SIGCONT)
        assert sleeper.wait(60) == 0
    assert results(tmp_path) == EXPECTED
    assert list((tmp_path / "leases").glob("*.lease")) == []


def test_a_lock_of_a_living_owner_stands(tmp_path: Path) -> None:
    """Another process of this machine looks, and finds it locked."""
    with worker(tmp_path, 30.0, 30.0):
        wait_for(lambda: len(events(tmp_path)) == 1)
        with Leases(tmp_path / "leases", 30.0) as leases:
            assert leases.take("unit 0") is None
            assert leases.take("unit 1") is not None
    assert leases_module.SECONDS == 60.0
