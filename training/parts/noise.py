"""The noise schedule of a diffusion model: noisy latents, and what the model learns to predict from them.

Legend: B clips.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from a2v_core.schedules import make_scheduler


@dataclass(frozen=True)
class NoiseSchedule:
    """Forward diffusion in discrete timesteps.

    alphas           float32 [timesteps], cumulative product of the alphas
    prediction_type  diffusers' name of what the model predicts: epsilon (the noise), sample (the clean
                     latents), or v_prediction (the velocity of arXiv 2202.00512)
    """

    alphas: Tensor
    prediction_type: str

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> NoiseSchedule:
        """From a model's scheduler_config.json."""
        alphas = make_scheduler("ddpm", config).alphas_cumprod.float()
        return cls(alphas, config.get("prediction_type", "epsilon"))

    @property
    def timesteps(self) -> int:
        """Number of timesteps."""
        return len(self.alphas)

    def add_noise(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Noisy latents [B, ...] at timesteps t [B]."""
        alpha = self._alpha(clean, t)
        return alpha.sqrt() * clean + (1 - alpha).sqrt() * noise

    def target(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """What the model is to predict from the noisy latents, [B, ...]."""
        if self.prediction_type == "v_prediction":
            alpha = self._alpha(clean, t)
            return alpha.sqrt() * noise - (1 - alpha).sqrt() * clean
        return clean if self.prediction_type == "sample" else noise

    def snr(self, t: Tensor) -> Tensor:
        """Signal-to-noise ratio at timesteps t [B], [B]."""
        alpha = self.alphas[t.to(self.alphas.device)]
        return alpha / (1 - alpha)

    def _alpha(self, clean: Tensor, t: Tensor) -> Tensor:
        """Cumulative alphas at t, as many dimensions as the latents have."""
        return self.alphas[t.to(self.alphas.device)].to(clean.device).view(-1, *[1] * (clean.ndim - 1))
