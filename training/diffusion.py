"""Forward diffusion and what a model learns to predict, for every training here.

Legend: B clips.
"""

from __future__ import annotations

from torch import Tensor


def add_noise(clean: Tensor, noise: Tensor, t: Tensor, alphas: Tensor) -> Tensor:
    """Latents [B, ...] at timesteps t [B]; `alphas` [timesteps] are the cumulative ones of the schedule."""
    share = _share(clean, t, alphas)
    return share.sqrt() * clean + (1 - share).sqrt() * noise


def prediction_target(kind: str, clean: Tensor, noise: Tensor, t: Tensor, alphas: Tensor) -> Tensor:
    """What a model of diffusers' prediction type `kind` predicts: the noise ("epsilon"), the clean latents
    ("sample"), or the velocity of arXiv 2202.00512 ("v_prediction").
    """
    if kind == "v_prediction":
        share = _share(clean, t, alphas)
        return share.sqrt() * noise - (1 - share).sqrt() * clean
    return clean if kind == "sample" else noise


def _share(clean: Tensor, t: Tensor, alphas: Tensor) -> Tensor:
    return alphas[t.to(alphas.device)].to(clean.device).view(-1, *[1] * (clean.ndim - 1))
