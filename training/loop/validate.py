"""Validation on held-out clips: loss with fixed noise, and generated videos scored by AV-Align.

Legend: F frames, H W picture size in pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from a2v_core import media
from a2v_core.audio import Waveform
from a2v_core.backbones import load_t2v, to_device
from a2v_core.metrics import av_align
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.sampling import SampleSettings
from a2v_core.tokens import AudioTokens

from ..cache import Sample
from .loss import Objective
from .order import Draw, noise
from .trainee import none_dropped

SAMPLE_RATE = 16000
ENDING = ".mp4"


class Video(NamedTuple):
    """A generated clip: frames [F, H, W, 3] in 0..1, the sound it was made from, its AV-Align (None: no
    peaks), and the mp4 that holds both."""

    id: str
    frames: Tensor
    sound: Tensor
    av_align: float | None
    path: Path


@torch.no_grad()
def validation_loss(objective: Objective, module: nn.Module, samples: Sequence[Sample]) -> float:
    """Mean loss of the clips, each at one of evenly spaced timesteps, with fixed noise."""
    config, steps = objective.config, objective.timesteps
    total = 0.0
    for number, sample in enumerate(samples):
        timestep = int((number + 0.5) / len(samples) * steps)
        draw = Draw(timestep, noise(config.seed + number, sample.latents.shape), dropped=False)
        losses = objective(module, [sample], [draw])
        total += float(losses.mse + config.loss.l1_weight * losses.temp_l1)
    return total / len(samples)


@torch.no_grad()
def make_videos(
    objective: Objective, module: nn.Module, samples: Sequence[Sample], step: int
) -> Iterator[Video]:
    """Generate a video for every clip's sound, the same seed every time; mp4 files in output_dir/videos."""
    config, backbone = objective.config, objective.backbone
    data = config.data
    if not samples:
        return
    folder = config.output_dir / "videos" / f"step-{step:08d}"
    folder.mkdir(parents=True, exist_ok=True)
    # The VAE is loaded for the validation only: training works on latents.
    parts = load_t2v(config.models.t2v, config.run.precision, parts=["vae"])
    to_device(parts, backbone.device)
    pipeline, decoder = VideoPipeline(backbone), VideoPipeline(parts)
    for sample in samples:
        request = _request(objective, module, sample).resolved(pipeline.spec)
        contexts = objective.trainee.video_texts(module, sample.caption, request, pipeline)
        latents = pipeline.sample(request, contexts)
        frames = decoder.decode_all(request, latents)
        sound = Waveform(sample.sound[None], SAMPLE_RATE)
        path = folder / f"{_file_name(sample.id.removesuffix(ENDING))}{ENDING}"
        media.write_video(path, frames, data.fps, sound)
        yield Video(sample.id, frames, sample.sound, av_align(frames, data.fps, sound).score, path)


def _request(objective: Objective, module: nn.Module, sample: Sample) -> VideoRequest:
    """Request for the video of a clip's sound, without its texts."""
    config, data, settings = objective.config, objective.config.data, objective.config.validation
    _, words = objective.words(module, [sample], none_dropped(1))
    return VideoRequest(
        "",
        AudioTokens({word: values[0] for word, values in words.items()}, data.fps),
        settings=SampleSettings(
            settings.steps,
            settings.guidance_scale,
            settings.scheduler,
            config.seed,
            data.width,
            data.height,
            data.num_frames,
        ),
        long=None,
    )


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name).lstrip(".")


def mean_score(scores: Sequence[float | None]) -> float | None:
    """Mean of the scores that are defined; None without any."""
    defined = [score for score in scores if score is not None]
    return sum(defined) / len(defined) if defined else None
