"""Calls and actors on a real Ray whose processes are killed; what is on its way at once is bounded."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from a2v_core.errors import A2VError
from a2v_core.workers import Actors, Cluster, WorkerDied, flow, on_ray, survive

ROOT = Path(__file__).resolve().parents[2]


def die_at_first(folder: Path, deaths: int) -> int:
    """Kills its process as often as `deaths` says, then answers how often it was called."""
    calls = len(list(folder.iterdir())) + 1
    (folder / f"call{calls}").touch()
    if calls <= deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    return calls


def refuse() -> None:
    raise A2VError("clip.mp4: no such file; check the name")


class Worker:
    def die_at_first(self, folder: Path, deaths: int) -> int:
        return die_at_first(folder, deaths)


def test_calls_whose_workers_die(local_ray: Any, tmp_path: Path) -> None:
    task = local_ray.remote(max_retries=0)(die_at_first)
    folders = [tmp_path / str(number) for number in range(2)]
    for folder in folders:
        folder.mkdir()

    async def calls() -> int:
        found: int = await survive(lambda: task.remote(folders[0], 2))
        with pytest.raises(WorkerDied, match="died 3 times, out of memory or by a file that kills it"):
            await survive(lambda: task.remote(folders[1], 9))
        with pytest.raises(A2VError, match=r"^clip\.mp4: no such file; check the name$"):
            await survive(lambda: local_ray.remote(refuse).remote())
        return found

    assert asyncio.run(calls()) == 3
    assert len(list(folders[1].iterdir())) == 3


def test_an_actor_that_dies_is_replaced(local_ray: Any, tmp_path: Path) -> None:
    """Its call is made again by the next, and those after it are not disturbed."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    async def calls() -> list[int]:
        actors = Actors(lambda: local_ray.remote(num_cpus=1)(Worker).remote(), 1)

        async def do(name: str) -> int:
            deaths = 2 if name == "a" else 0
            found: int = await actors.call(lambda actor: actor.die_at_first.remote(tmp_path / name, deaths))
            return found

        return [found async for found in flow(["a", "b", "b"], do, 2)]

    assert asyncio.run(calls()) == [3, 1, 2]


def test_without_ray_or_at_no_address(tmp_path: Path) -> None:
    (tmp_path / "ray.py").write_text("raise ImportError('none here')")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from a2v_core.workers import Cluster, on_ray\n"
        "from a2v_core.errors import A2VError\n"
        "try:\n    on_ray(Cluster()).__enter__()\nexcept A2VError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "pip install -r training/requirements-ray.txt" in done.stdout


def test_workers_of_a_cluster_are_where_the_command_is(tmp_path: Path) -> None:
    """The cluster was started in another folder, and knows nothing of the pack."""
    there, here, files = tmp_path / "there", tmp_path / "here", tempfile.mkdtemp(prefix="a2v-ray-")
    there.mkdir()
    here.mkdir()
    ray = [
        sys.executable,
        "-m",
        "ray.scripts.scripts",
        "start",
        "--head",
        "--block",
        "--port=0",
        "--num-cpus=1",
    ]
    ray += ["--include-dashboard=false", f"--temp-dir={files}"]
    mode = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    mode.pop("PYTHONPATH", None)
    head = subprocess.Popen(
        ray, cwd=there, env=mode, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from a2v_core.workers import Cluster, on_ray\n"
        "def look():\n"
        "    import os, training\n"
        "    return os.getcwd(), training.__file__\n"
        "with on_ray(Cluster(sys.argv[1])) as ray:\n"
        "    print(*ray.get(ray.remote(look).remote()), sep='\\n')\n"
    )
    try:
        assert head.stdout is not None
        started = next(line for line in head.stdout if "--address=" in line)
        address = started.split("'")[1]
        command = [sys.executable, "-c", code, address]
        done = subprocess.run(command, cwd=here, env=mode, capture_output=True, text=True, check=True)
        folder, module = done.stdout.split("\n")[-3:-1]
        assert Path(folder) == here.resolve()
        assert Path(module).is_relative_to(ROOT)
    finally:
        os.killpg(head.pid, signal.SIGINT)  # SIGTERM takes it half a minute
        head.wait()
        shutil.rmtree(files, ignore_errors=True)


def test_it_leaves_no_file_with_the_user(local_ray: Any) -> None:
    """Logs are in a temporary folder of its own, and there are no statistics."""
    with on_ray(Cluster()) as same:
        assert same is local_ray
    session = Path(local_ray._private.worker._global_node.get_session_dir_path())
    assert session.parent.name.startswith("a2v-ray-")
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
