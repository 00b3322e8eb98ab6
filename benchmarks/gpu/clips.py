"""Clips of small models, made on a device and on the CPU from the same sound, text and seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from a2v_core.audio import Waveform, load_beats
from a2v_core.backbones import Backbone, load_t2v, to_device
from a2v_core.demo import demo_path
from a2v_core.pipeline import MemoryManager, VideoPipeline, VideoRequest, hear
from a2v_core.sampling import SampleSettings
from a2v_core.sampling.long import LongSettings
from a2v_core.tokens import AudioTokens, in_prompt, load_mapper
from tests.tiny_t2v import TEXT_WIDTH, make_tiny_t2v
from training.demo_world.sounds import SAMPLE_RATE
from training.demo_world.world import FPS, NUM_FRAMES

from ..long_quality import scene_of
from .job import Job


class Clip(NamedTuple):
    """What is made of a sound of the demo world. `long` None: all frames at once."""

    frames: int
    settings: SampleSettings
    long: LongSettings | None = None


class Made(NamedTuple):
    """Latents [1, c, f, h, w] and frames [F, H, W, 3]."""

    latents: Tensor
    frames: Tensor


@cache
def sound(frames: int) -> Waveform:
    """The sound of a scene of the demo world, at least as long."""
    return Waveform(torch.from_numpy(scene_of(0, max(frames, NUM_FRAMES))[1])[None], SAMPLE_RATE)


@cache
def heard(frames: int, device: torch.device, dtype: torch.dtype = torch.float32) -> AudioTokens:
    """Its tokens by the bundled BEATs and mapper, which run on a device."""
    beats = load_beats(demo_path("beats")).to(device, dtype)
    mapper = load_mapper(demo_path("mapper")).to(device, dtype)
    return hear(beats, mapper, sound(frames), frames, FPS)


DEMO = demo_path("t2v")


@cache
def model(device: torch.device, dtype: str = "fp32", folder: Path = DEMO) -> Backbone:
    """A small text-to-video model on a device, by default the bundled one, for all that leave it as it is."""
    return own_model(device, dtype, folder)


def own_model(device: torch.device, dtype: str = "fp32", folder: Path = DEMO) -> Backbone:
    """The same for somebody who changes or moves it."""
    backbone = load_t2v(folder, dtype)
    to_device(backbone, device)
    return backbone


def small(job: Job) -> Path:
    """The folder of the bundled model; for a test one with a tenth of its layers."""
    if not job.tiny:
        return DEMO
    folder = job.folder / "small"
    width = model(job.device).spec.token_width or TEXT_WIDTH
    return folder if folder.is_dir() else make_tiny_t2v(folder, width)


def make(
    backbone: Backbone,
    clip: Clip,
    tokens: AudioTokens | None,
    memory: Callable[[Backbone], MemoryManager] | None = None,
) -> Made:
    """A clip with the words of its sound in the prompt, where the model has words."""
    pipeline = VideoPipeline(backbone) if memory is None else VideoPipeline(backbone, memory(backbone))
    words = tokens is not None and backbone.spec.audio == "words"
    prompt = (
        f"a video of {in_prompt(tokens.words)}" if tokens is not None and words else "a video of a red ball"
    )
    settings = replace(clip.settings, num_frames=clip.frames)
    request = VideoRequest(prompt, tokens, settings=settings, long=clip.long).resolved(pipeline.spec)
    latents = pipeline.sample(request, pipeline.encode(request))
    return Made(latents, pipeline.decode_all(request, latents))
