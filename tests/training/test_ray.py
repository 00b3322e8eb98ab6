"""Precompute on a real local Ray: bit for bit the same, whatever dies."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from a2v_core.workers import Leases, Worklist
from tests.training.deadly import decode_or_die
from tests.training.started import start
from training.cache import open_cache, read_contents
from training.cache.build import LEASES, precompute
from training.cache.ray_engine import Engine, sizes_of
from training.cache.units import units_of
from training.config import Config, make_config
from training.data import list_items
from training.precompute import main


def shards(config: Config) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in config.cache_dir.glob("shard-*")}


def test_a_file_that_kills_its_worker(values: dict[str, Any], local_ray: Any) -> None:
    """Its clips are unusable, with the reason; those beside them in their units and batches are not."""
    config = make_config(values)
    config.cache_dir.mkdir(parents=True)
    plan = [(item, 0) for item in list_items(config.data)[0]]
    told: list[int] = []
    with Leases(config.cache_dir / LEASES) as leases:
        units = {unit.name: unit for unit in units_of(plan, {}, 6)}
        worklist = Worklist(units, lambda unit: unit.path(config.cache_dir).exists(), leases)
        asyncio.run(Engine(local_ray, config, leases, decode_or_die).drive(worklist, told.append))
    contents, done = read_contents(config.cache_dir)
    assert told == [6]
    assert {key for keys in done.values() for key in keys} == {(item.id, 0) for item, _ in plan}
    assert [entry.id for entry in contents.entries] == [
        item.id for item, _ in plan if item.id != "train/b.mp4"
    ]
    (dead,) = contents.unusable
    assert (dead.id, dead.kind) == ("train/b.mp4", "its process died")
    assert "died 3 times" in dead.reason


def test_the_same_shards_whatever_is_killed(
    values: dict[str, Any],
    tmp_path: Path,
    local_ray: Any,
    warm_python: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The driver, then workers: what comes out is what one process makes that nobody disturbs."""
    values["data"] |= {"clips_per_video": 6}
    calm = make_config(values)
    precompute(calm, progress=False)
    values["output_dir"] += "-killed"
    config, killed = tmp_path / "config.yaml", make_config(values)
    config.write_text(str(values))
    arguments = [str(config), "--engine", "ray"]
    address = local_ray.get_runtime_context().gcs_address
    # Bit for bit the same values come from as many threads.
    monkeypatch.setenv("OMP_NUM_THREADS", str(torch.get_num_threads()))
    driver = start(warm_python, "-m", "training.precompute", *arguments, "--address", address)
    wait_for(lambda: len(shards(killed)) >= 2)
    driver.kill()
    made = len(shards(killed))
    assert made < len(shards(calm))
    with ThreadPoolExecutor(1) as pool:
        again = pool.submit(main, arguments)
        wait_for(lambda: len(shards(killed)) > made)
        workers = [pid for name in ("decode", "Encoding") for pid in processes(f"ray::{name}")]
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        assert again.result(300) == 0
    assert workers
    assert shards(killed) == shards(calm)
    assert open_cache(killed) is not None
    assert not list(killed.cache_dir.glob(".*"))
    capsys.readouterr()
    assert main(arguments) == 0
    assert "26 clips, 0 of them new" in capsys.readouterr().out
    assert main([str(config), "--address", "auto"]) == 1
    assert "goes with --engine ray" in capsys.readouterr().err


def processes(name: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().startswith(name.encode()):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_sizes() -> None:
    assert sizes_of({"CPU": 16, "GPU": 2}, on_cpu=False) == (2, 1, 0)
    assert sizes_of({"CPU": 16, "GPU": 2}, on_cpu=True) == (8, 0, 1)
    assert sizes_of({"CPU": 1}, on_cpu=False) == (1, 0, 0)
    assert sizes_of({"CPU": 16, "GPU": 2}, on_cpu=False).at_once == 4
