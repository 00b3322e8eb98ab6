"""The guard of a server of ours, on a process that stands for the server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from a2v_core.headless.server import guard


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def guarded(process: subprocess.Popen[bytes], folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir()
    (folder / "file").touch()
    command = [sys.executable, "-I", "-S", guard.__file__, str(process.pid), str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def test_when_nobody_is_at_the_other_end(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    beside = guarded(sleeper, tmp_path / "server")
    assert beside.stdin is not None
    beside.stdin.close()
    assert sleeper.wait(30) != 0
    assert beside.wait(30) == 0
    assert not (tmp_path / "server").exists()


def test_when_all_is_in_order(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    beside = guarded(sleeper, tmp_path / "server")
    beside.communicate(b"\n", timeout=30)
    assert beside.returncode == 0
    assert sleeper.poll() is None
    assert (tmp_path / "server" / "file").exists()
