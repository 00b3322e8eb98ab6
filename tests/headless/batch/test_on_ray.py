"""A batch on a real Ray: by an actor for a server that is there, and by one that starts its own."""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

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


@pytest.fixture
def batch(comfy_server: ComfyServer, tmp_path: Path) -> tuple[object, ...]:
    """Arguments of a batch of 18 runs, six of which fail; and `plain`, what it leaves without Ray."""
    workflow = write(tmp_path / "api.json", drawing_prompt())
    sounds = write_sounds(tmp_path / "sounds", 3)
    sounds[1].write_text("this is no sound")
    common = (workflow, "--audio", tmp_path / "sounds", "--seeds", 6)
    call(*common, "--server", comfy_server.url, "--out", tmp_path / "plain", code=3)
    return common


def assert_as_without(out: Path) -> None:
    """But for where the server keeps a sound that it cannot read: a name that is taken gets a number."""
    assert len(contents(out)) == 24
    assert contents(out) == contents(out.parent / "plain")
    assert placeless(out) == placeless(out.parent / "plain")


def placeless(out: Path) -> list[dict[str, Any]]:
    return [run | {"error": re.sub(r"'/[^']*/input/[^']*'", "a file", run["error"])} for run in facts(out)]


def test_a_server_that_is_there(
    batch: tuple[object, ...], comfy_server: ComfyServer, tmp_path: Path, local_ray: Any
) -> None:
    call(*batch, "--engine", "ray", "--server", comfy_server.url, "--out", tmp_path / "ray", code=3)
    assert_as_without(tmp_path / "ray")


def test_a_server_of_its_own_is_started_again(
    batch: tuple[object, ...], tmp_path: Path, local_ray: Any
) -> None:
    out = tmp_path / "ray"
    arguments = (*batch, "--engine", "ray", "--comfyui", find_comfyui(), "--out", out)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(call, *arguments, code=3)
        wait_for(lambda: len(list((out / ".batch" / "rows").glob("*.json"))) >= 2 or running.done())
        (first,) = servers()
        os.kill(first, signal.SIGKILL)
        told = running.result(300).stderr
    assert "ComfyUI 1, during tone_" in told
    assert ": ComfyUI died. Its log ends:\n" in told
    assert_as_without(out)
    assert len({run["server"] for run in read_runs(out) if run["status"] == "done"}) == 2
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
