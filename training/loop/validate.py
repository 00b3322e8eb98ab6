"""Held-out clips: their loss with fixed noise, and videos with their sound, scored by AV-Align.

Legend: F frames, H W picture size in pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from a2v_core.audio import Waveform
from a2v_core.backbones import load_t2v, networks
from a2v_core.media import write_video
from a2v_core.metrics import av_align
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.sampling import SampleSettings
from a2v_core.tokens import AudioMapper, AudioTokens

from ..cache import Sample
from .batches import prompt_of
from .loss import Objective
from .order import Draw, noise

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
def validation_loss(objective: Objective, mapper: AudioMapper, samples: Sequence[Sample]) -> float:
    """Mean loss of the clips, each at a timestep of its own, spread over the noise schedule."""
    config, steps = objective.config, objective.timesteps
    total = 0.0
    for number, held_out in enumerate(samples):
        timestep = int((number + 0.5) / len(samples) * steps)
        draw = Draw(timestep, noise(config.seed + number, held_out.latents.shape), dropped=False)
        losses = objective(mapper, [held_out], [draw])
        total += float(losses.mse + config.loss.l1_weight * losses.temp_l1)
    return total / len(samples)


@torch.no_grad()
def make_videos(
    objective: Objective, mapper: AudioMapper, samples: Sequence[Sample], step: int
) -> Iterator[Video]:
    """Generate a video for every clip's sound, the same seed every time; mp4 files in output_dir/videos."""
    config, backbone = objective.config, objective.backbone
    data = config.data
    if not samples:
        return
    folder = config.output_dir / "videos" / f"step-{step:08d}"
    folder.mkdir(parents=True, exist_ok=True)
    # In memory for as long as it is needed: training itself works on latents alone.
    parts = load_t2v(config.models.t2v, config.run.precision, parts=["vae"])
    for network in networks(parts):
        network.to(backbone.device)
    pipeline, decoder = VideoPipeline(backbone), VideoPipeline(parts)
    for held_out in samples:
        request = _request(objective, mapper, held_out).resolved(pipeline.spec)
        latents = pipeline.sample(request, pipeline.encode(request))
        frames = decoder.decode_all(request, latents)
        sound = Waveform(held_out.sound[None], SAMPLE_RATE)
        path = folder / f"{_file_name(held_out.id.removesuffix(ENDING))}{ENDING}"
        write_video(path, frames, data.fps, sound)
        yield Video(held_out.id, frames, held_out.sound, av_align(frames, data.fps, sound).score, path)


def _request(objective: Objective, mapper: AudioMapper, held_out: Sample) -> VideoRequest:
    """The video of a clip's sound, led away from what the config says."""
    config, data, settings = objective.config, objective.config.data, objective.config.validation
    prompt = prompt_of(data, held_out.caption, config.mapper.words)
    _, words = objective.words(mapper, [held_out])
    silent = None
    if settings.away_from == "no_sound":
        silent = mapper.pool(mapper.no_sound_tokens(data.num_frames, data.fps))
    return VideoRequest(
        prompt,
        AudioTokens({word: values[0] for word, values in words.items()}, data.fps),
        "" if silent is None else prompt,
        silent,
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
