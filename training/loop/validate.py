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
from a2v_core.prompts import FrameContext
from a2v_core.sampling import SampleSettings, decode_video, sample
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
    data, settings = config.data, config.validation
    if not samples:
        return
    folder = config.output_dir / "videos" / f"step-{step:08d}"
    folder.mkdir(parents=True, exist_ok=True)
    # In memory for as long as it is needed: training itself works on latents alone.
    decoder = load_t2v(config.models.t2v, config.run.precision, parts=["vae"])
    for network in networks(decoder):
        network.to(backbone.device)
    for held_out in samples:
        positive, negative = _contexts(objective, mapper, held_out)
        latents = sample(
            backbone,
            positive,
            negative,
            SampleSettings(
                steps=settings.steps,
                guidance_scale=settings.guidance_scale,
                scheduler=settings.scheduler,
                seed=settings.seed,
                width=data.width,
                height=data.height,
                num_frames=data.num_frames,
            ),
        )
        frames = decode_video(decoder, latents)
        sound = Waveform(held_out.sound[None], SAMPLE_RATE)
        path = folder / f"{_file_name(held_out.id.removesuffix(ENDING))}{ENDING}"
        write_video(path, frames, data.fps, sound)
        yield Video(held_out.id, frames, held_out.sound, av_align(frames, data.fps, sound).score, path)


def _contexts(
    objective: Objective, mapper: AudioMapper, held_out: Sample
) -> tuple[FrameContext, FrameContext]:
    """The prompt with its sound, and what guidance leads away from."""
    config, backbone = objective.config, objective.backbone
    data = config.data
    prompt = prompt_of(data, held_out.caption, config.mapper.words)
    _, words = objective.words(mapper, [held_out])
    tokens = AudioTokens({word: values[0] for word, values in words.items()}, data.fps)
    positive = backbone.encode_prompt(prompt, tokens, data.num_frames)
    if config.validation.away_from == "no_sound":
        silent = mapper.pool(mapper.no_sound_tokens(data.num_frames, data.fps))
        return positive, backbone.encode_prompt(prompt, silent, data.num_frames)
    return positive, backbone.encode_prompt("", None, data.num_frames)


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name).lstrip(".")


def mean_score(scores: Sequence[float | None]) -> float | None:
    """Mean of the scores that are defined; None without any."""
    defined = [score for score in scores if score is not None]
    return sum(defined) / len(defined) if defined else None
