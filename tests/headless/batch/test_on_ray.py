"""A batch on a real Ray: by an actor for a server that is there, and by one that starts its own."""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from a2v_core.headless.batch.own_servers import options_of
from a2v_core.headless.server import ComfyServer, find_comfyui
from tests.headless.batch.parts import (
    call,
    contents,
    drawing_prompt,
    facts,
    read_runs,
    wait_for,
    write_sounds,
)
from tests.headless.test_run import write


class Batch(NamedTuple):
    """Arguments of a batch of 18 runs, six of which fail, and what it leaves without Ray."""

    arguments: tuple[object, ...]
    plain: Path


@pytest.fixture(scope="module")
def batch(comfy_server: ComfyServer, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    folder = tmp_path_factory.mktemp("batch")
    workflow = write(folder / "api.json", drawing_prompt())
    sounds = write_sounds(folder / "sounds", 3)
    sounds[1].write_text("this is no sound")
    arguments = (workflow, "--audio", folder / "sounds", "--seeds", 6)
    call(*arguments, "--server", comfy_server.url, "--out", folder / "plain", code=3)
    return Batch(arguments, folder / "plain")


def assert_as_without(batch: Batch, out: Path) -> None:
    """But for where the server keeps a sound that it cannot read: a name that is taken gets a number."""
    assert len(contents(out)) == 24
    assert contents(out) == contents(batch.plain)
    assert placeless(out) == placeless(batch.plain)


def placeless(out: Path) -> list[dict[str, Any]]:
    return [run | {"error": re.sub(r"'/[^']*/input/[^']*'", "a file", run["error"])} for run in facts(out)]


def test_a_server_that_is_there(
    batch: Batch, comfy_server: ComfyServer, tmp_path: Path, local_ray: Any
) -> None:
    call(*batch.arguments, "--engine", "ray", "--server", comfy_server.url, "--out", tmp_path, code=3)
    assert_as_without(batch, tmp_path)


def test_a_server_of_its_own_is_started_again(batch: Batch, tmp_path: Path, local_ray: Any) -> None:
    arguments = (*batch.arguments, "--engine", "ray", "--comfyui", find_comfyui(), "--out", tmp_path)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(call, *arguments, code=3)
        wait_for(lambda: len(list((tmp_path / ".batch" / "rows").glob("*.json"))) >= 2 or running.done())
        (first,) = servers()
        os.kill(first, signal.SIGKILL)
        told = running.result(300).stderr
    assert "ComfyUI 1, during tone_" in told
    assert ": ComfyUI died. Its log ends:\n" in told
    assert_as_without(batch, tmp_path)
    assert len({run["server"] for run in read_runs(tmp_path) if run["status"] == "done"}) == 2
    assert servers() == []


def servers() -> list[int]:
    """ComfyUIs that actors have started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            mine = Path(f"/proc/{parent}/cmdline").read_bytes().startswith(b"ray::OwnServer")
            if mine and b"main.py" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_an_actor_for_every_gpu() -> None:
    """Without GPUs one for every machine that is there."""
    cpu = {"Alive": True, "Resources": {"CPU": 8.0}}
    gpu = {"Alive": True, "Resources": {"CPU": 8.0, "GPU": 2.0}}
    gone = {"Alive": False, "Resources": {"CPU": 8.0, "GPU": 4.0}}
    head = {"Alive": True, "Resources": {"memory": 1e9}}
    assert options_of([cpu, gpu, gone]) == [{"num_gpus": 1, "num_cpus": 0}] * 2
    assert [options["num_cpus"] for options in options_of([head, cpu, cpu, gone])] == [1, 1]
