"""A backbone that can do what every backbone has to, and nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from a2v_core.backbones import BackboneSpec, Grid, Part
from a2v_core.backbones.unet3d import UNet3DBackbone
from a2v_core.prompts import ContextBatch, FrameContext
from a2v_core.schedules import Schedule


class Plain:
    """The contract around a UNet3D, without its capabilities; every prediction is a multiple of its own."""

    def __init__(self, inner: UNet3DBackbone, factor: float = 1.0) -> None:
        self.inner, self.factor = inner, factor

    @property
    def spec(self) -> BackboneSpec:
        return self.inner.spec

    @property
    def device(self) -> torch.device:
        return self.inner.device

    def parts(self) -> Mapping[Part, Sequence[nn.Module]]:
        return self.inner.parts()

    def encode_prompt(self, prompt: str, audio_tokens: Any, num_frames: int) -> FrameContext:
        return self.inner.encode_prompt(prompt, audio_tokens, num_frames)

    def encode_texts(self, prompts: Sequence[str], words: Mapping[str, Tensor]) -> ContextBatch:
        return self.inner.encode_texts(prompts, words)

    def denoise(self, x: Tensor, t: Tensor, context: ContextBatch) -> Tensor:
        predicted = self.inner.denoise(x, t, context)
        return predicted if self.factor == 1 else self.factor * predicted

    def decode(self, latents: Tensor, chunk: int) -> Iterator[Tensor]:
        return self.inner.decode(latents, chunk)

    def encode(self, frames: Tensor, chunk: int) -> Tensor:
        return self.inner.encode(frames, chunk)

    def schedule(self, name: str, steps: int, seed: int) -> Schedule:
        return self.inner.schedule(name, steps, seed)

    def work_bytes(self, part: Part, grid: Grid, branches: int = 1) -> int:
        return self.inner.work_bytes(part, grid, branches)

    def cancel_points(self) -> Iterable[nn.Module]:
        return self.inner.cancel_points()

    def fingerprint(self) -> bytes:
        return self.inner.fingerprint() + repr(self.factor).encode()
