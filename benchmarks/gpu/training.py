"""Training: steps a second and memory, with gradient checkpointing and without, of a UNet3D of the published
size and of a Wan of 1.3B size. `training.fit`'s own steps on a cache of random clips."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from a2v_core.backbones import load_t2v, to_device
from training.cache import Sample, facts_of, write_shard, write_state, write_texts
from training.config import Config, make_config
from training.loop.trainer import Trainer
from training.prompts import text_of

from .job import Job, Step, Wrong
from .models import full_size, wan
from .record import Note
from .timing import forget, peaks, spread

CLIPS, STEPS_MEASURED = 4, 6
BEATS_LAYERS, BEATS_WIDTH, STEP_SECONDS = 12, 768, 0.16


def unet3d(job: Job, note: Note) -> None:
    """An AudioMapper on 24 frames of 384 x 256, as published."""
    files = full_size(job)
    width, height, frames = (16, 16, 5) if job.tiny else (384, 256, 24)
    values = _values(job, files.t2v, "unet3d", width, height, frames, 24.0)
    _both(job, note, values, None)


def adapter(job: Job, note: Note) -> None:
    """An audio adapter on 49 frames of 480 x 320, the shipped config's."""
    width, height, frames = (32, 32, 5) if job.tiny else (480, 320, 49)
    folder = wan(job)
    values = _values(job, folder, "wan", width, height, frames, 16.0)
    _both(job, note, values, folder)


def _both(job: Job, note: Note, values: dict[str, Any], texts_of: Path | None) -> None:
    _write_cache(job, make_config(values), texts_of)
    for recompute in (True, False):
        name = "checkpointing" if recompute else "no checkpointing"
        values["run"]["gradient_checkpointing"] = recompute
        values["output_dir"] = str(job.folder / f"{texts_of is not None}-{recompute}")
        note(**{name: _steps(job, make_config(values), note, name)})


def _steps(job: Job, config: Config, note: Note, name: str) -> dict[str, Any]:
    """Seconds of a step after two that do not count, and memory; written after every step."""
    trainer = Trainer(config)
    try:
        forget(job)
        numbers: dict[str, Any] = {}
        for seconds, losses in _timed(trainer, job):
            numbers = spread(seconds) | {
                "steps_per_second": 1 / spread(seconds)["seconds_each"],
                **peaks(job),
            }
            numbers["loss"] = losses[-1]
            note(**{name: numbers})
        return numbers
    finally:
        trainer.close()


def _timed(trainer: Trainer, job: Job) -> Iterator[tuple[list[float], list[float]]]:
    steps, seconds, losses = trainer.steps(), [], []
    for number in range(2 if job.tiny else 2 + STEPS_MEASURED):
        began = time.perf_counter()
        loss, _ = next(steps)
        if job.on_gpu:
            torch.cuda.synchronize(job.device)
        losses.append(loss)
        if not loss == loss:
            raise Wrong("the loss is not a number")
        if number >= (1 if job.tiny else 2):
            seconds.append(time.perf_counter() - began)
            yield seconds, losses
        if seconds and job.left < 2 * seconds[-1]:
            return


def _values(
    job: Job, t2v: Path, name: str, width: int, height: int, frames: int, fps: float
) -> dict[str, Any]:
    return {
        "output_dir": str(job.folder / name),
        "models": {"beats": str(full_size(job).beats), "t2v": str(t2v)},
        "data": {
            "layout": "folder",
            "root": str(job.folder),
            "fps": fps,
            "num_frames": frames,
            "width": width,
            "height": height,
            "test_share": 0.0,
        },
        "cache": {"dir": str(job.folder / f"{name}-cache"), "use": "always"},
        "run": {
            "steps": 10**6,
            "workers": 0,
            "precision": "bf16" if job.on_gpu else "fp32",
            "device": "auto" if job.on_gpu else "cpu",
        },
        "checkpoints": {"every": 10**6},
        "validation": {"every": 0},
        "logging": {"tensorboard": False},
    }


def _write_cache(job: Job, config: Config, texts_of: Path | None) -> None:
    """Random clips as `training.precompute` writes them, and, where a model's texts are kept, the text."""
    data = config.data
    backbone = load_t2v(config.models.t2v, parts=[])
    grid = backbone.spec.grid(data.num_frames, data.width, data.height)
    steps = max(2, int(data.clip_seconds / STEP_SECONDS))
    generator = torch.Generator().manual_seed(0)
    samples = [
        Sample(
            id=f"{number}.mp4",
            number=0,
            latents=torch.randn(grid.shape[1:], generator=generator),
            layers=torch.randn(BEATS_LAYERS, steps, 1, BEATS_WIDTH, generator=generator),
            times=torch.arange(steps) * STEP_SECONDS,
            caption="",
            sound=torch.empty(0),
        )
        for number in range(CLIPS)
    ]
    folder = config.cache_dir
    folder.mkdir(parents=True, exist_ok=True)
    facts, precision = facts_of(config), config.cache.precision
    splits = ["train"] * CLIPS
    write_shard(folder / "shard-000000.safetensors", samples, splits, [], [], [], facts, precision)
    write_state(folder, True, CLIPS, CLIPS)
    if texts_of is not None:
        encoder: Any = load_t2v(texts_of, config.run.precision, parts=["text"])
        to_device(encoder, job.device)
        write_texts(config, ["", text_of(config, "")], encoder.encode_captions)


STEPS = (
    Step("UNet3D of 1.41 G parameters", unet3d),
    Step("Wan of 1.3 G parameters", adapter),
)
