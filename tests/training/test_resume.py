"""A training killed in the middle goes on as if nothing had happened; a full disk costs nothing that was."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from a2v_core.checkpoints import read_checkpoint
from a2v_core.errors import CheckpointError
from training.cache.build import precompute
from training.config import make_config
from training.errors import TrainingError
from training.loop import fit
from training.loop.checkpoint import checkpoints

ROOT = Path(__file__).resolve().parents[2]
KILLED = """
import json, os, signal, sys, torch
torch.set_num_threads(1)
from training.config import make_config
from training.loop import fit

def kill(step):
    if step == 5:
        os.kill(os.getpid(), signal.SIGKILL)

fit(make_config(json.loads(sys.argv[1])), on_step=kill, progress=False)
"""


def assert_same(one: Path, two: Path) -> None:
    """Bit by bit. The files themselves differ in the order of their headers."""
    a, b = read_checkpoint(one), read_checkpoint(two)
    assert a.tensors.keys() == b.tensors.keys()
    assert all(torch.equal(value, b.tensors[key]) for key, value in a.tensors.items())
    assert a.metadata == b.metadata


@pytest.fixture
def full(values: dict[str, Any]) -> dict[str, Any]:
    """Everything on that has a state: average, schedule, dropout, validation, accumulation."""
    values["optimizer"] |= {"ema_decay": 0.9, "schedule": "cosine", "warm_up_steps": 2, "clip_grad_norm": 0.5}
    values["loss"] = {"condition_dropout": 0.3, "min_snr_gamma": 5.0}
    values["run"] |= {"steps": 8, "accumulate": 2}
    values["checkpoints"] = {"every": 3, "keep_last": 2}
    values["validation"] |= {"every": 4, "loss_clips": 2}
    return values


def test_kill_and_resume_is_bit_equal(full: dict[str, Any]) -> None:
    whole = make_config(full)
    precompute(whole, progress=False)
    first = fit(whole, progress=False)

    full["output_dir"] += "-killed"
    full["cache"] |= {"dir": str(whole.cache_dir)}
    config = make_config(full)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, json.dumps(full)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    curve = config.output_dir / "metrics.jsonl"
    assert len(curve.read_text().splitlines()) == 5
    assert [path.name for path in checkpoints(config.output_dir / "checkpoints")] == [
        "step-00000003.safetensors"
    ]
    # What a kill while writing leaves behind: half a file under another name, and half a line.
    half = config.output_dir / "checkpoints" / ".step-00000006.1.part.safetensors"
    half.write_bytes(b"half")
    with curve.open("a") as file:
        file.write('{"step": 6, "lo')
    second = fit(config, progress=False)
    assert not half.exists()

    for name in ("metrics.jsonl", "validation.jsonl"):
        assert (config.output_dir / name).read_bytes() == (whole.output_dir / name).read_bytes()
    assert len((whole.output_dir / "metrics.jsonl").read_text().splitlines()) == 8
    assert first.best is not None
    assert second.best is not None
    for one, two in ((first.trained, second.trained), (first.best, second.best)):
        assert_same(one, two)
    last = "checkpoints/step-00000008.safetensors"
    assert_same(whole.output_dir / last, config.output_dir / last)
    names = [path.name for path in checkpoints(whole.output_dir / "checkpoints")]
    assert names == ["step-00000006.safetensors", "step-00000008.safetensors"]


def test_a_finished_training_is_left_alone(values: dict[str, Any]) -> None:
    config = make_config(values)
    precompute(config, progress=False)
    product = fit(config, progress=False).trained
    before = product.stat().st_mtime_ns
    again = fit(config, progress=False)
    assert again.steps == 6
    assert product.stat().st_mtime_ns == before
    # More steps go on from there.
    values["run"] |= {"steps": 7}
    assert fit(make_config(values), progress=False).steps == 7


def test_other_settings_are_refused(values: dict[str, Any]) -> None:
    config = make_config(values)
    precompute(config, progress=False)
    fit(config, progress=False)
    values["optimizer"] |= {"learning_rate": 2e-3}
    values["run"] |= {"batch_size": 3}
    with pytest.raises(TrainingError) as caught:
        fit(make_config(values), progress=False)
    assert "optimizer.learning_rate 0.001 (now 0.002)" in str(caught.value)
    assert "run.clips per step 2 (now 3)" in str(caught.value)
    assert "(run.clips_per_step: 2 with any number of processes)" in str(caught.value)
    # Where, how much at once and how often is not part of what a training is.
    values["optimizer"] |= {"learning_rate": 1e-3}
    values["run"] |= {"batch_size": 1, "accumulate": 2, "steps": 7}
    values["checkpoints"] |= {"every": 1}
    assert fit(make_config(values), progress=False).steps == 7


def test_a_damaged_checkpoint_costs_only_its_steps(
    values: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    config = make_config(values)
    precompute(config, progress=False)
    product = fit(config, progress=False).trained
    expected = product.rename(product.with_name("expected.safetensors"))
    last = checkpoints(config.output_dir / "checkpoints")[-1]
    last.write_bytes(last.read_bytes()[:100])
    assert_same(fit(config, progress=False).trained, expected)
    assert f"{last} cannot be used" in caplog.text


def test_a_full_disk_keeps_the_previous_checkpoint(values: dict[str, Any]) -> None:
    config = make_config(values)
    precompute(config, progress=False)

    def fill_disk(step: int) -> None:
        if step == 3:
            # No file may grow beyond this: writing a checkpoint fails as it does on a full disk.
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(CheckpointError, match="check the folder and the free space"):
            fit(config, on_step=fill_disk, progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    folder = config.output_dir / "checkpoints"
    assert os.listdir(folder) == ["step-00000002.safetensors"]
    read_checkpoint(folder / "step-00000002.safetensors")
    read_checkpoint(config.output_dir / "mapper.safetensors")
    assert fit(config, progress=False).steps == 6
