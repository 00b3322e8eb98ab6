"""The folder of copies: bounded, shared by processes, and nothing is deleted under a reader."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from a2v_core.stores import LocalCache, StoreError, Unreachable

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys, time
from pathlib import Path
from a2v_core.stores import LocalCache
cache = LocalCache(Path(sys.argv[1]), 1000, 20.0)
made = []
def make(part):
    made.append(1)
    time.sleep(0.02)
    part.write_bytes(b"x" * 300)
for turn in range(12):
    with cache.holding(f"key {turn % 4}", 300, make) as path:
        assert path.read_bytes() == b"x" * 300
        time.sleep(0.01)
        assert path.read_bytes() == b"x" * 300
    assert sum(f.stat().st_size for f in (cache.folder / "files").glob("*/*")) <= 1000
print(len(made))
"""


def writer(data: bytes) -> Callable[[Path], None]:
    def write(part: Path) -> None:
        part.write_bytes(data)

    return write


def fill(cache: LocalCache, key: str, size: int) -> Path:
    with cache.holding(key, size, writer(b"x" * size)) as path:
        return path


def held(cache: LocalCache) -> int:
    return sum(path.stat().st_size for path in (cache.folder / "files").glob("*/*"))


def test_the_least_recently_used_leaves(tmp_path: Path) -> None:
    cache = LocalCache(tmp_path, 1000)
    a, b, c = (fill(cache, key, 300) for key in ("a.mp4", "b.mp4", "c.mp4"))
    assert a.suffix == ".mp4"
    assert fill(cache, "a.mp4", 300) == a
    d = fill(cache, "d.mp4", 300)
    assert [path.exists() for path in (a, b, c, d)] == [True, False, True, True]
    assert held(cache) == 900
    with pytest.raises(StoreError, match=r"0\.000 GB does not fit .* raise local_cache_gb"):
        fill(cache, "e", 1001)


def test_a_file_in_use_stays(tmp_path: Path) -> None:
    cache = LocalCache(tmp_path, 1000, seconds=0.2)
    with cache.holding("a", 600, writer(b"a" * 600)) as a:
        with pytest.raises(Unreachable, match="all files of the cache are in use"):
            fill(cache, "b", 600)
        assert a.read_bytes() == b"a" * 600
    b = fill(cache, "b", 600)
    assert (a.exists(), b.exists(), held(cache)) == (False, True, 600)


def test_whoever_waits_for_room_gets_it(tmp_path: Path) -> None:
    cache = LocalCache(tmp_path, 1000, seconds=20)
    with ExitStack() as stack:
        stack.enter_context(cache.holding("a", 600, writer(b"a" * 600)))
        other = threading.Thread(target=fill, args=(cache, "b", 600))
        other.start()
        time.sleep(0.1)
        assert held(cache) == 600
    other.join()
    assert {path.read_bytes()[:1] for path in (tmp_path / "files").glob("*/*")} == {b"x"}


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    cache = LocalCache(tmp_path, 1000)

    def fail(part: Path) -> None:
        part.write_bytes(b"half")
        raise OSError("no more")

    for _ in range(3):
        with pytest.raises(OSError, match="no more"), cache.holding("a", 900, fail):
            pass
    assert not list((tmp_path / "coming").iterdir())
    assert fill(cache, "a", 900).stat().st_size == 900


def test_two_processes_share_it(tmp_path: Path) -> None:
    """Twelve reads each of four files of which three fit: never too much, never a file that vanishes."""
    commands = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    made = [int(command.communicate()[0]) for command in commands]
    assert [command.returncode for command in commands] == [0, 0]
    assert 4 <= sum(made) <= 24
    assert not list((tmp_path / "coming").iterdir())


def test_the_room_of_a_killed_process_is_given_back(tmp_path: Path) -> None:
    stuck = WRITER.replace(
        "time.sleep(0.02)", "part.write_bytes(b'x'); print('in', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", stuck, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    ) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == b"in\n"
        os.kill(command.pid, signal.SIGKILL)
    assert len(list((tmp_path / "coming").iterdir())) == 2
    cache = LocalCache(tmp_path, 1000, seconds=1)
    assert fill(cache, "other", 900).stat().st_size == 900
    assert not list((tmp_path / "coming").iterdir())
