"""Ways of the library, each a function of a device that gives latents or tokens to be compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from a2v_core.backbones import (
    Backbone,
    LongWork,
    Recompute,
    WindowedAttention,
    load_t2v,
    make_windows,
    require,
    to_device,
)
from a2v_core.backbones.lora import merge_lora
from a2v_core.demo import demo_path
from a2v_core.pipeline import InTurn, MemoryManager, hear
from a2v_core.prompts import ContextBatch
from a2v_core.sampling import SPEEDS, SampleSettings
from a2v_core.sampling.long import LongSettings
from a2v_core.tokens import in_prompt
from tests.tiny_motion import make_tiny_motion
from training.demo_world.wan import WanDemo
from training.demo_world.world import FPS
from training.parts import PredictionError

from .clips import Clip, heard, make, model, own_model, small, sound
from .job import Job

CPU = torch.device("cpu")
Way = Callable[[torch.device], Tensor]
WAN_FRAMES = 5


def paths(job: Job) -> Iterator[tuple[str, Way]]:
    """Each way by its name. They start with the same noise, so that results compare."""
    folder = small(job)
    ways = _Ways(2, 2, folder) if job.tiny else _Ways(8, 4, folder)
    for speed in SPEEDS:
        if not SPEEDS[speed].bfloat16:  # on a device that is nothing, on a CPU it rounds
            yield f"speed {speed}", partial(ways.words, speed=speed)
    yield "guidance branch by branch", partial(ways.words, batch_guidance=False)
    yield "sound guidance", partial(ways.words, sound_guidance=5.0)
    for title, long in {
        "windowed attention": LongSettings(window=4, stride=2),
        "whole-model windows": LongSettings(mode="model", window=4, stride=2),
        "closed loop": LongSettings(window=4, stride=2, closed_loop=True),
    }.items():
        yield f"long: {title}", partial(ways.long, long)
    yield "long: activations on the CPU", ways.long_on_cpu
    yield "few-step LoRA", ways.lora
    yield "one part at a time", partial(ways.managed, InTurn)
    yield "offloaded weights", partial(ways.managed, partial(InTurn, offload=True))
    yield "fp8", partial(ways.stored, offload=False)
    yield "fp8, offloaded", partial(ways.stored, offload=True)
    yield "AnimateDiff", ways.motion
    yield "Wan with a sound", ways.wan
    yield "hearing", ways.hearing
    yield "gradients of audio words", partial(ways.gradients, recompute=False)
    yield "gradients, checkpointed", partial(ways.gradients, recompute=True)


@dataclass(frozen=True)
class _Ways:
    """All of them at one size, with one model."""

    frames: int
    steps: int
    folder: Path

    def clip(self, **settings: Any) -> Clip:
        return Clip(self.frames, SampleSettings(self.steps, 3.0, seed=3, **settings))

    def words(self, device: torch.device, **settings: Any) -> Tensor:
        backbone = model(device, folder=self.folder)
        return make(backbone, self.clip(**settings), heard(self.frames, device)).frames

    def long(self, long: LongSettings, device: torch.device) -> Tensor:
        clip = Clip(4 * self.frames, SampleSettings(self.steps, 3.0, seed=3), long)
        return make(model(device, folder=self.folder), clip, heard(clip.frames, device)).frames

    def long_on_cpu(self, device: torch.device) -> Tensor:
        """One evaluation whose activations wait in the CPU's memory, as where a GPU is small."""
        backbone = model(device, folder=self.folder)
        frames = 4 * self.frames
        windowed = require(backbone, WindowedAttention, "long videos")
        text = ContextBatch.of([backbone.encode_prompt("a red ball", None, frames)])
        noise = torch.randn(1, 4, frames, 8, 8, generator=torch.Generator().manual_seed(0))
        work = LongWork(4, on_cpu=True)
        return windowed.denoise_windowed(noise, torch.tensor(500), text, make_windows(frames, 4, 2), work)

    def lora(self, device: torch.device) -> Tensor:
        backbone = own_model(device)  # the bundled LoRA is of the bundled model
        merge_lora(backbone.parts()["denoiser"][0], demo_path("few_steps"))
        return make(backbone, self.clip(), heard(self.frames, device)).frames

    def managed(self, manager: Callable[..., MemoryManager], device: torch.device) -> Tensor:
        backbone = own_model(CPU, folder=self.folder)
        tokens = heard(self.frames, device)
        return make(backbone, self.clip(), tokens, lambda model: manager(model, device)).frames

    def stored(self, device: torch.device, *, offload: bool) -> Tensor:
        backbone = own_model(CPU, "fp8", self.folder)
        manager = partial(InTurn, device=device, offload=offload)
        return make(backbone, self.clip(), heard(self.frames, device), manager).frames

    def motion(self, device: torch.device) -> Tensor:
        with tempfile.TemporaryDirectory(prefix="a2v-motion-") as folder:
            backbone = load_t2v(make_tiny_motion(Path(folder) / "motion"))
        to_device(backbone, device)
        return make(backbone, self.clip(width=64, height=64), None).latents

    def wan(self, device: torch.device) -> Tensor:
        wan = WanDemo(steps=self.steps)
        backbone: Backbone = wan.pipeline.backbone
        to_device(backbone, device)
        tokens = hear(wan.beats.to(device), wan.mapper, sound(WAN_FRAMES), WAN_FRAMES, FPS)
        settings = SampleSettings(self.steps, 2.5, "euler", width=64, height=64)
        return make(backbone, Clip(WAN_FRAMES, settings), tokens).frames

    def hearing(self, device: torch.device) -> Tensor:
        return torch.cat(list(heard(self.frames, device).words.values()))

    def gradients(self, device: torch.device, *, recompute: bool) -> Tensor:
        """Of the loss by the audio words: through denoiser and text encoder."""
        backbone = own_model(device, folder=self.folder)
        if recompute:
            require(backbone, Recompute, "checkpointing").recompute_activations()
        own = heard(self.frames, device).words
        words = {word: rows[None].detach().clone().requires_grad_() for word, rows in own.items()}
        context = backbone.encode_texts([f"a video of {in_prompt(words)}"], words)
        generator = torch.Generator().manual_seed(0)
        clean, noise = (
            torch.randn(1, 4, self.frames, 8, 8, generator=generator).to(device) for _ in range(2)
        )
        PredictionError.of(backbone).per_clip(clean, noise, torch.tensor([700]), context).sum().backward()
        return torch.cat([rows.grad.flatten() for rows in words.values() if rows.grad is not None])
