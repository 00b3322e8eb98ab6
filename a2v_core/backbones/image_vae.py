"""Latents to pictures and back, some frames at a time.

Legend: F frames, c latent channels, h w latent size, H W picture size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ..errors import A2VError
from .contract import check_size


def scale_factor(config: Mapping[str, Any]) -> int:
    """Pixels per latent pixel along each side, by the config of a VAE."""
    return int(2 ** (len(config["block_out_channels"]) - 1))


def decode_chunks(vae: Any, latents: Tensor, chunk: int) -> Iterator[Tensor]:
    """Latents [F, c, h, w] to frames [n, H, W, 3], float32 0..1 on the CPU, n <= `chunk` frames at a time.

    Every frame is decoded on its own: the chunk size changes memory, not the picture.
    A2VError for a chunk below 1, latents of another shape, and pictures that are not finite.
    """
    channels = int(vae.config.latent_channels)
    if latents.ndim != 4 or latents.shape[1] != channels or latents.shape[0] == 0:
        raise A2VError(
            f"Latents have shape {list(latents.shape)}: this VAE decodes [frames, {channels}, height / "
            f"{scale_factor(vae.config)}, width / {scale_factor(vae.config)}]"
        )
    weight = _like(vae, chunk)
    with torch.no_grad():
        for part in latents.split(chunk):
            part = part.to(weight.device, weight.dtype) / vae.config.scaling_factor
            pixels = vae.decode(part, return_dict=False)[0].float()
            if not bool(pixels.isfinite().all()):
                raise A2VError("The decoded picture is not finite: load the model in bf16 or fp32, not fp16")
            yield (pixels / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).contiguous().cpu()


@torch.no_grad()
def encode(vae: Any, frames: Tensor, chunk: int = 8) -> Tensor:
    """Frames [F, H, W, 3] in 0..1 to latents [F, c, h, w], float32 on the CPU: the posterior's mean.

    A2VError for frames of another shape, or height or width not divisible by the VAE's factor.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.shape[0] == 0:
        raise A2VError(f"Frames have shape {list(frames.shape)}: expected [frames, height, width, 3]")
    check_size(frames.shape[2], frames.shape[1], scale_factor(vae.config))
    weight = _like(vae, chunk)
    latents = []
    for part in frames.split(chunk):
        pixels = (part.permute(0, 3, 1, 2) * 2 - 1).to(weight.device, weight.dtype)
        latents.append((vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor).float().cpu())
    return torch.cat(latents)


def _like(vae: Any, chunk: int) -> Tensor:
    if chunk < 1:
        raise A2VError(f"The VAE works on {chunk} frames at a time: at least 1 is needed")
    weight: Tensor = next(vae.parameters())
    return weight
