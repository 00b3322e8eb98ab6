"""Checkpoints: the state for an exact resume in one safetensors file, written atomically.

There is no generator state in it, since order, noise and dropout are functions of the seed and the position
(see `order`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from a2v_core.checkpoints import read_checkpoint, write_safetensors
from a2v_core.errors import CheckpointError

from ..config import Config
from ..errors import TrainingError
from ..parts import MovingAverage, load_state, state_tensors

KEY = "a2v_training"
CLIPS = "run.clips per step"
_log = logging.getLogger(__name__)


class Progress(NamedTuple):
    """step: finished steps. best: lowest validation loss so far. scaler: state of the fp16 loss scaler."""

    step: int
    best: float | None
    scaler: dict[str, Any]


def weight_settings(config: Config, global_batch: int, name: str) -> dict[str, Any]:
    """The settings that the weights of the trained module, called `name`, depend on: the same on resume."""
    values = config.model_dump(mode="json")
    if name == "mapper":
        values.pop("adapter")
    for section in ("output_dir", "models", "cache", "checkpoints", "validation", "logging"):
        values.pop(section)
    run, data = values.pop("run"), values["data"]
    for place in ("root", "csv", "exclude_ids", "scores"):
        data.pop(place)
    for way in ("local_cache", "local_cache_gb", "fetch_tries", "fetch_seconds"):
        data.pop(way)
    values["run"] = {"precision": run["precision"], "clips per step": global_batch}
    if config.optimizer.schedule == "cosine":
        values["run"]["steps"] = run["steps"]
    return values


def folder_of(config: Config) -> Path:
    """The folder of the checkpoints."""
    return config.output_dir / "checkpoints"


def save(
    config: Config,
    global_batch: int,
    progress: Progress,
    name: str,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: MovingAverage | None,
) -> Path:
    """Write the state of the module called `name`, then delete old ones beyond `keep_last`.

    CheckpointError when the disk is full.
    """
    folder = folder_of(config)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = state_tensors(module, optimizer, average, name)
    content = {
        "step": progress.step,
        "best": progress.best,
        "scaler": progress.scaler,
        "config": weight_settings(config, global_batch, name),
    }
    path = folder / f"step-{progress.step:08d}.safetensors"
    write_safetensors(path, tensors, {KEY: json.dumps(content)})
    for old in checkpoints(folder)[: -config.checkpoints.keep_last]:
        old.unlink()
    return path


def clear_partial(folder: Path) -> None:
    """Delete partial files of a killed process."""
    for path in folder.glob(".step-*.part.safetensors"):
        path.unlink()


def checkpoints(folder: Path) -> list[Path]:
    """All checkpoints, oldest first."""
    return sorted(folder.glob("step-*.safetensors"))


def resume(
    config: Config,
    global_batch: int,
    name: str,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: MovingAverage | None,
) -> Progress | None:
    """Load the newest checkpoint that can be read into module, optimizer and average; None without one.

    TrainingError when it belongs to a training with other settings.
    """
    for path in reversed(checkpoints(folder_of(config))):
        try:
            tensors, metadata, _ = read_checkpoint(path)
            content = json.loads(metadata[KEY])
        except (CheckpointError, KeyError) as error:
            _log.warning("%s cannot be used (%s); trying the one before", path, error)
            continue
        _check_same(path, content["config"], weight_settings(config, global_batch, name))
        load_state(tensors, module, optimizer, average, name)
        return Progress(content["step"], content["best"], content["scaler"])
    return None


def _check_same(path: Path, found: dict[str, Any], expected: dict[str, Any]) -> None:
    before, now = _flat(found), _flat(expected)
    differing = [
        f"{key} {before.get(key)!r} (now {now.get(key)!r})"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key)
    ]
    if differing:
        clips = before.get(CLIPS)
        kept = (
            f" (run.clips_per_step: {clips} with any number of processes)" if clips != now.get(CLIPS) else ""
        )
        raise TrainingError(
            f"{path}: belongs to a training with {', '.join(differing)}; set output_dir to another folder to "
            f"start anew, or go back to these settings{kept}"
        )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat
