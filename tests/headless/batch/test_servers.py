"""Servers that go away during a batch: waited for, replaced by others, started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from a2v_core.headless.server import ComfyServer, find_comfyui, running_server
from tests.headless.batch.parts import (
    call,
    drawing_prompt,
    outputs,
    read_runs,
    started,
    wait_for,
    write_sounds,
)
from tests.headless.test_run import write


class Restarted:
    """A server that can be killed, and started again at the same address."""

    def __init__(self, server: ComfyServer) -> None:
        self.server, self.process = server, server.process
        self.url = server.url

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        with open(self.server.folder / "again.log", "wb") as log:
            self.process = subprocess.Popen(
                self.server.process.args, cwd=find_comfyui(), stdout=log, stderr=log, start_new_session=True
            )


@pytest.fixture(scope="module")
def mortal() -> Iterator[Restarted]:
    with running_server(find_comfyui(), own_models=True, cpu=True) as server:
        mortal = Restarted(server)
        yield mortal
        mortal.kill()


def rows_in(out: Path) -> int:
    return len(list((out / ".batch" / "rows").glob("*.json")))


def test_a_server_that_is_restarted_is_waited_for(mortal: Restarted, tmp_path: Path) -> None:
    workflow = write(tmp_path / "api.json", drawing_prompt())
    write_sounds(tmp_path / "sounds", 6)
    out = tmp_path / "out"
    common = (workflow, "--audio", tmp_path / "sounds", "--seeds", 5)
    with started(tmp_path / "log", *common, "--server", mortal.url, "--out", out) as batch:
        wait_for(lambda: rows_in(out) >= 3)
        mortal.kill()
        wait_for(lambda: "waited for" in batch.told())
        assert rows_in(out) < 30
        mortal.start()
        told = batch.end()
    assert f"{mortal.url} does not answer; it is waited for, 600 s at most" in told
    assert f"{mortal.url} is back" in told
    assert "30 of 30 runs done" in told
    assert len(outputs(out)) == 60


def test_other_servers_take_the_work_of_one_that_is_gone(
    comfy_server: ComfyServer, mortal: Restarted, tmp_path: Path
) -> None:
    workflow = write(tmp_path / "api.json", drawing_prompt())
    write_sounds(tmp_path / "sounds", 6)
    out = tmp_path / "out"
    common = (workflow, "--audio", tmp_path / "sounds", "--seeds", 5, "--out", out, "--wait", 1)
    both = ("--server", mortal.url, "--server", comfy_server.url)
    with started(tmp_path / "log", *common, *both) as batch:
        wait_for(lambda: rows_in(out) >= 6)
        mortal.kill()
        assert "30 of 30 runs done" in batch.end()
    assert {row["server"] for row in read_runs(out)} == {mortal.url, comfy_server.url}

    # Gone for good, and nobody else: what is left is said to be not run.
    write_sounds(tmp_path / "sounds", 7)
    told = call(*common, "--server", mortal.url, code=2).stderr
    assert f"{mortal.url} is given up: it was away for 1 s" in told
    assert f"the ComfyUI server at {mortal.url} is not reachable" in told
    assert [row["status"] for row in read_runs(out)].count("not run") == 5
    assert json.loads(call(*common, "--server", comfy_server.url, "--json").stdout)["status"] == "done"


def test_a_server_of_its_own_is_started_again_and_does_not_outlive_the_batch(tmp_path: Path) -> None:
    workflow = write(tmp_path / "api.json", drawing_prompt())
    write_sounds(tmp_path / "sounds", 8)
    out = tmp_path / "out"
    common = (workflow, "--audio", tmp_path / "sounds", "--seeds", 9, "--out", out)
    with started(tmp_path / "log", *common, "--comfyui", find_comfyui()) as batch:
        wait_for(lambda: rows_in(out) >= 3)
        os.kill(children(batch.process.pid)[0], signal.SIGKILL)
        wait_for(lambda: "ComfyUI died and is started again" in batch.told())
        before = rows_in(out)
        assert before < 72
        wait_for(lambda: rows_in(out) > before)
        server = children(batch.process.pid)[0]
        arguments = Path(f"/proc/{server}/cmdline").read_text().split("\0")
        folder = Path(arguments[arguments.index("--input-directory") + 1]).parent
        assert folder.is_dir()
    wait_for(lambda: not folder.exists() and not alive(server))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
