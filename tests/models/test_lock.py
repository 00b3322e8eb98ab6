"""Two processes never make one model at the same time: the lock, and whole downloads, with real processes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from a2v_core.models.errors import DownloadError
from a2v_core.models.lock import exclusive
from tests.models.server import Server
from tests.models.test_command import ROOT, ZEROSCOPE, run

# Each process takes the lock as often as it can. A folder that only one can make shows whether it is alone.
WORKER = """
import sys, time
from pathlib import Path
from a2v_core.models.errors import DownloadError
from a2v_core.models.lock import exclusive

target, sign = Path(sys.argv[1]), Path(sys.argv[1] + ".busy")
print("ready", flush=True)
sys.stdin.readline()
end, taken = time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < end:
    try:
        with exclusive(target):
            sign.mkdir()
            time.sleep(0.001)
            sign.rmdir()
            taken += 1
    except DownloadError:
        pass
print(taken)
"""


def test_many_processes_take_turns(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path / "x.pt"), "2"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    workers = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(3)]  # type: ignore[call-overload]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n", worker.communicate()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    outputs = [worker.communicate(timeout=60) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0], outputs
    assert sum(int(taken) for taken, _ in outputs) > 10
    assert list(tmp_path.iterdir()) == []


def test_the_second_is_told_at_once_and_nothing_stays(tmp_path: Path) -> None:
    target = tmp_path / "x.pt"
    says = r"x\.pt: another download of it is under way"
    with exclusive(target), pytest.raises(DownloadError, match=says), exclusive(target):
        raise AssertionError("two at once")
    with exclusive(target):
        assert [path.name for path in tmp_path.iterdir()] == [".x.pt.lock"]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_a_crash_left_behind_is_taken(tmp_path: Path) -> None:
    (tmp_path / ".x.pt.lock").touch()
    with exclusive(tmp_path / "x.pt"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_two_commands_for_one_model(hub: Server, tmp_path: Path, t2v_files: dict[str, bytes]) -> None:
    served = hub.add_repo(ZEROSCOPE, t2v_files)
    unet = "unet/diffusion_pytorch_model.safetensors"
    served[unet].slow = True
    command = ["fetch", "zeroscope", "--dest", str(tmp_path / "dest")]
    first = run(hub, tmp_path, *command)
    part = tmp_path / "dest" / "zeroscope_v2_576w.part" / f"{unet}.part"
    while not (part.exists() and part.stat().st_size):
        assert first.poll() is None, first.communicate()
        time.sleep(0.02)
    second = run(hub, tmp_path, *command)
    _, errors = second.communicate(timeout=120)
    assert second.returncode == 1
    assert "zeroscope_v2_576w: another download of it is under way; wait for it to end" in errors
    served[unet].slow = False
    assert first.wait(120) == 0, first.communicate()
    first.communicate()
    assert len(hub.asked(f"/cdn/{ZEROSCOPE}/resolve/0123456789abcdef0123456789abcdef01234567/{unet}")) == 1
    assert [path.name for path in (tmp_path / "dest").iterdir()] == ["zeroscope_v2_576w"]
