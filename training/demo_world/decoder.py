"""Fine-tunes the demo VAE's decoder for sharpness; the encoder is frozen, so that latents stay the same.

The latents get a little noise, as sampled ones have, and the object weighs more than the wall.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from .fitting import device, fit
from .vae import pictures

NOISE = 0.12  # standard deviation, in latents scaled to a variance of 1: twice that of sampled ones at rest


def train(work: Path, steps: int = 2700, minutes: float = 0.0) -> None:
    """Fits the decoder of `work/t2v/vae` and writes the VAE back, in half precision."""
    from diffusers import AutoencoderKL

    folder = work / "t2v" / "vae"
    vae = AutoencoderKL.from_pretrained(folder).float().to(device())
    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)

    def loss(step: int) -> dict[str, Tensor]:
        picture = pictures(2 * 10**6 + step, 16).to(device())
        with torch.no_grad():
            latents = vae.encode(picture).latent_dist.mean
        decoded = vae.decode(latents + torch.randn_like(latents) * NOISE / vae.config.scaling_factor).sample
        error = decoded - picture
        wall = picture.median(dim=-1, keepdim=True).values
        weight = 1 + 4 * ((picture - wall).abs().amax(1, keepdim=True) > 0.05)
        l1, l2 = (weight * error.abs()).mean(), (weight * error.square()).mean()
        return {"loss": l1 + 2 * l2, "l1": l1, "l2": l2}

    weights = fit("decoder", work, vae, loss, steps=steps, learning_rate=1e-3, decay=0.995, minutes=minutes)
    vae.load_state_dict(weights)
    vae.half().save_pretrained(folder)
