"""Latents of AutoencoderKLWan to pictures and back, some latent frames at a time.

The VAE is causal in time: its convolutions keep what they saw of earlier frames (`_feat_map` of diffusers'
class). So a long video is decoded piece by piece with the same result as at once.

Legend: c latent channels, F video frames, f latent frames, h w latent size, H W picture size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ...errors import A2VError


@torch.no_grad()
def decode(vae: Any, latents: Tensor) -> Iterator[Tensor]:
    """Normalised latents [1, c, f, h, w] to frames [n, H, W, 3], float32 0..1 on the CPU, those of a latent
    frame at a time: 1 for the first, then 4. A2VError for pictures that are not finite."""
    mean, std = statistics(vae)
    weight = next(vae.parameters())
    x = vae.post_quant_conv((latents.float().cpu() * std + mean).to(weight.device, weight.dtype))
    vae.clear_cache()
    try:
        for number in range(x.shape[2]):
            vae._conv_idx = [0]
            first = {"first_chunk": True} if number == 0 else {}
            part = x[:, :, number : number + 1]
            out = vae.decoder(part, feat_cache=vae._feat_map, feat_idx=vae._conv_idx, **first)
            yield _pictures(vae, out)
    finally:
        vae.clear_cache()


@torch.no_grad()
def encode(vae: Any, frames: Tensor) -> Tensor:
    """Frames [F, H, W, 3] in 0..1, F = 4n+1, to normalised latents [1, c, f, h, w], float32 on the CPU: the
    posterior's mean."""
    mean, std = statistics(vae)
    weight = next(vae.parameters())
    pixels = (frames.permute(3, 0, 1, 2)[None] * 2 - 1).to(weight.device, weight.dtype)
    latents: Tensor = vae.encode(pixels).latent_dist.mode().float().cpu()
    return (latents - mean) / std


def statistics(vae: Any) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the latents of every channel, [1, c, 1, 1, 1], by the VAE's config."""
    mean, std = (torch.tensor(values) for values in (vae.config.latents_mean, vae.config.latents_std))
    return mean.view(1, -1, 1, 1, 1), std.view(1, -1, 1, 1, 1)


def _pictures(vae: Any, pixels: Tensor) -> Tensor:
    """What the decoder gives, [1, 3, n, H, W] in -1..1, or in patches, as frames."""
    patch = vae.config.patch_size
    if patch is not None:
        n, height, width = pixels.shape[2:]
        pixels = pixels.reshape(1, -1, patch, patch, n, height, width).permute(0, 1, 4, 5, 3, 6, 2)
        pixels = pixels.reshape(1, -1, n, height * patch, width * patch)
    if not bool(pixels.isfinite().all()):
        raise A2VError("The decoded picture is not finite: load the model in bf16 or fp32, not fp16")
    return (pixels[0].float().clamp(-1, 1) / 2 + 0.5).permute(1, 2, 3, 0).contiguous().cpu()
