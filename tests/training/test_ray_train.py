"""A training on a real local Ray, by Ray Train."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from a2v_core.work import Cluster
from tests.training.test_ray import processes, wait_for
from training.cache.build import precompute
from training.config import make_config
from training.launch.ray_train import fit_on_ray
from training.loop import fit
from training.parts import read_lines

STEPS, KILLED_AFTER = 40, 12


def test_a_worker_dies_and_the_numbers_stay(values: dict[str, Any], local_ray: Any) -> None:
    values["run"] |= {"steps": STEPS, "clips_per_step": 4}
    values["checkpoints"] |= {"every": 10}
    one = make_config(values)
    precompute(one, progress=False)
    fit(one, progress=False)

    values["cache"] |= {"dir": str(one.cache_dir)}
    values["output_dir"] += "-ray"
    two = make_config(values)
    curve = two.output_dir / "metrics.jsonl"
    killed: list[int] = []

    def kill_a_worker() -> None:
        wait_for(lambda: curve.is_file() and len(curve.read_bytes().splitlines()) >= KILLED_AFTER)
        workers = processes("ray::RayTrainWorker")
        killed.extend(workers)
        os.kill(workers[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_a_worker)
    killer.start()
    trained = fit_on_ray(two, 2, Cluster())
    killer.join()
    assert len(killed) == 2
    assert trained == two.output_dir / "mapper.safetensors"
    first, second = (
        [line["loss"] for line in read_lines(path)] for path in (one_curve(one.output_dir), curve)
    )
    assert len(first) == STEPS
    assert second == pytest.approx(first, rel=1e-4)


def one_curve(folder: Path) -> Path:
    return folder / "metrics.jsonl"
