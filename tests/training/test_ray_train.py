"""A training on a real local Ray, by Ray Train."""

from __future__ import annotations

from typing import Any

import pytest

from a2v_core.workers import Cluster
from training.cache.build import precompute
from training.config import make_config
from training.launch.ray_train import fit_on_ray
from training.loop import fit
from training.parts import read_lines


def test_two_workers_give_the_numbers_of_one_process(values: dict[str, Any], local_ray: Any) -> None:
    """Two steps by one process: Ray's workers go on after its checkpoint, as after a death of theirs."""
    values["run"] |= {"steps": 6, "clips_per_step": 4}
    whole = make_config(values)
    precompute(whole, progress=False)
    fit(whole, progress=False)

    values["cache"] |= {"dir": str(whole.cache_dir)}
    values["output_dir"] += "-ray"
    values["run"] |= {"steps": 2}
    fit(make_config(values), progress=False)
    values["run"] |= {"steps": 6}
    shared = make_config(values)
    assert fit_on_ray(shared, 2, Cluster()) == shared.output_dir / "mapper.safetensors"
    curves = [read_lines(config.output_dir / "metrics.jsonl") for config in (whole, shared)]
    assert [[line["step"] for line in lines] for lines in curves] == [[1, 2, 3, 4, 5, 6]] * 2
    assert [line["loss"] for line in curves[1]] == pytest.approx(
        [line["loss"] for line in curves[0]], rel=1e-4
    )
