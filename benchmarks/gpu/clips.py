"""Clips of small models, made on a device and on the CPU from the same sound, text and seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
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
from training.demo_world.sounds import SAMPLE_RATE
from training.demo_world.world import FPS, NUM_FRAMES

from ..long_quality import scene_of


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


def demo(device: torch.device, dtype: str = "fp32") -> Backbone:
    """The bundled text-to-video model on a device."""
    backbone = load_t2v(demo_path("t2v"), dtype)
    to_device(backbone, device)
    return backbone


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
