"""Several processes see what one process sees, gradients averaged by gloo."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from a2v_core.checkpoints import read_checkpoint
from training.cache.build import precompute
from training.config import make_config
from training.errors import ConfigError
from training.loop import fit
from training.parts import read_lines

ROOT = Path(__file__).resolve().parents[2]


def test_one_two_and_four_processes_give_the_same_numbers(
    values: dict[str, Any], tmp_path: Path, warm_python: str
) -> None:
    """One file, six steps: by one process; two by two processes and the rest by four, then by one."""
    values["run"] |= {"steps": 6, "batch_size": 2, "clips_per_step": 8}
    values["optimizer"] |= {"clip_grad_norm": 0.05}
    one = make_config(values)
    precompute(one, progress=False)
    product = fit(one, progress=False).trained

    values["cache"] |= {"dir": str(one.cache_dir)}
    values["output_dir"] += "-several"
    config = tmp_path / "config.yaml"
    config.write_text(str(values))
    with_processes(warm_python, 2, "training.fit", config, "--set", "run.steps=2")
    with_processes(warm_python, 4, "training.fit", config, "--set", "run.steps=4")
    several = make_config(values)
    fit(several, progress=False)
    curves = [read_lines(c.output_dir / "metrics.jsonl") for c in (one, several)]
    assert [[line["step"] for line in lines] for lines in curves] == [[1, 2, 3, 4, 5, 6]] * 2
    for a, b in zip(*curves, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)
        # Adam's first steps are as long for a gradient of rounding as for any other.
        assert a["grad_norm"] == pytest.approx(b["grad_norm"], rel=2e-3)
    first, second = (read_checkpoint(path).tensors for path in (product, several.output_dir / product.name))
    for key, value in first.items():
        torch.testing.assert_close(value, second[key], rtol=1e-3, atol=1e-4)


def test_clips_that_processes_cannot_divide_are_refused(values: dict[str, Any]) -> None:
    values["run"] |= {"batch_size": 2, "clips_per_step": 7}
    with pytest.raises(ConfigError, match=r"run\.clips_per_step 7 is no multiple of run\.batch_size 2 x 1"):
        fit(make_config(values), progress=False)
    values["run"] |= {"clips_per_step": 8, "accumulate": 2}
    with pytest.raises(ConfigError, match="accumulate follows from clips_per_step"):
        make_config(values)


def test_two_processes_train_an_adapter(
    values: dict[str, Any], wan_folder: Path, tmp_path: Path, warm_python: str
) -> None:
    values["models"]["t2v"] = str(wan_folder)
    values["data"] |= {"num_frames": 9, "width": 32, "height": 32}
    values["adapter"] = {"token_width": 12, "inner": 16, "heads": 2}
    values["loss"] = {"l1_weight": 0.0}
    values["run"] |= {"steps": 2, "batch_size": 1}
    config = tmp_path / "config.yaml"
    config.write_text(str(values))
    for command in ("training.precompute", "training.fit"):
        with_processes(warm_python, 2, command, config)
    two = make_config(values)
    assert len(list((two.cache_dir / "texts").iterdir())) == 2  # of three texts
    values["cache"] |= {"dir": str(two.cache_dir)}
    values["output_dir"] += "-one"
    values["run"] |= {"batch_size": 2}
    one = fit(make_config(values), progress=False).trained
    first, second = (read_checkpoint(path).tensors for path in (one, two.output_dir / one.name))
    for key, value in first.items():
        torch.testing.assert_close(value, second[key], rtol=1e-3, atol=1e-4)


def with_processes(python: str, count: int, module: str, config: Path, *overrides: str) -> None:
    launch = [python, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    done = subprocess.run(
        [*launch, "-m", module, str(config), *overrides],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "PYTHON_EXEC": python},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
