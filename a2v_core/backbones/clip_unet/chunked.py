"""A long video through a stock text-to-video UNet: layer by layer over all frames, a few at a time.

What a layer needs decides what it gets: spatial layers see one frame and run on a few frames at once; how the
temporal ones are cut is told in `temporal.py`. Everything but attention's windows is what the UNet itself
computes, and the memory for work is that of one short clip; only one copy of the running activations and the
skip connections grow with the video.

Legend: B texts, F frames, C channels, h w latent size, L text positions, E width of the time embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from .temporal import Plan, temporal_conv, temporal_transformer
from .walk import predict, time_embedding


@torch.no_grad()
def denoise_long(unet: Any, latents: Tensor, t: Tensor, texts: Tensor, plan: Plan) -> Tensor:
    """What the UNet predicts for one long video under B texts: latents [F, 4, h, w], one timestep t, texts
    [B, F, L, C].

    One text after the other; the layers that see none run once for all. Returns [B, F, 4, h, w] on
    `plan.activation_device`.
    """
    dtype = next(unet.parameters()).dtype
    executor = _Chunks(plan, time_embedding(unet, t, plan.device, dtype), texts.to(dtype=dtype))
    return torch.stack(predict(unet, executor, latents.to(plan.activation_device, dtype)))


def activation_bytes(unet: Any, latents: Tensor) -> int:
    """About the memory for all frames of a video [F, 4, h, w]: its skip connections and three activations."""
    first, level, pixels = 4, 0, latents.shape[-2] * latents.shape[-1]
    values = first * int(unet.config.block_out_channels[0]) * pixels
    for block in unet.down_blocks:
        width = int(block.resnets[-1].out_channels)
        values += len(block.resnets) * width * pixels // 4**level
        if block.downsamplers:
            level += 1
            values += width * pixels // 4**level
    return values * len(latents) * int(next(unet.parameters()).element_size())


@dataclass(frozen=True)
class _Chunks:
    """See `walk.Executor`. Activations have F rows, on `plan.activation_device`."""

    plan: Plan
    emb: Tensor  # [1, E]
    texts: Tensor  # [B, F, L, C]; after the first text one of them, [1, F, L, C]

    def each_frame(self, run: Callable[..., Tensor], x: Tensor, *others: Tensor) -> Tensor:
        """`run` on a few frames of all inputs [F, ...] at a time."""
        plan, frames, result = self.plan, x.shape[0], None
        for start in range(0, frames, plan.chunk):
            span = slice(start, start + plan.chunk)
            part = run(*(tensor[span].to(plan.device) for tensor in (x, *others)))
            if result is None:
                result = torch.empty(
                    (frames, *part.shape[1:]), dtype=part.dtype, device=plan.activation_device
                )
            result[span] = part.to(plan.activation_device)
        assert result is not None
        return result

    def resnet(self, resnet: Any, x: Tensor, skip: Tensor | None = None) -> Tensor:
        def run(*parts: Tensor) -> Tensor:
            made: Tensor = resnet(torch.cat(parts, 1), self.emb.expand(len(parts[0]), -1))
            return made

        return self.each_frame(run, x) if skip is None else self.each_frame(run, x, skip)

    def temporal_conv(self, conv: Any, x: Tensor) -> Tensor:
        return temporal_conv(self.plan, conv, x)

    def attention(self, transformer: Any, x: Tensor) -> Tensor:
        def run(part: Tensor, text: Tensor) -> Tensor:
            made: Tensor = transformer(part, text, return_dict=False)[0]
            return made

        return self.each_frame(run, x, self.texts[0])

    def temporal_attention(self, transformer: Any, x: Tensor) -> Tensor:
        return temporal_transformer(self.plan, transformer, x)

    def for_each_text(self) -> Sequence[_Chunks]:
        return [replace(self, texts=text[None]) for text in self.texts]
