"""The published loss in parts: prediction error of a text-to-video model, mean magnitude of the temp tokens.

Legend: B clips, c latent channels, F frames, h w latent size, L text positions, C text width, D token width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from a2v_core.backbones.unet3d import denoise

from .noise import NoiseSchedule


@dataclass(frozen=True)
class PredictionError:
    """Prediction error of a text-to-video model at noisy latents; gradients flow into context and weights.

    predict        latents [B, c, F, h, w], timesteps [B], context [B, F, L, C] -> prediction [B, c, F, h, w]
    schedule       the model's noise schedule
    min_snr_gamma  of min-SNR weighting (arXiv 2303.09556); None: all timesteps weigh the same
    """

    predict: Callable[[Tensor, Tensor, Tensor], Tensor]
    schedule: NoiseSchedule
    min_snr_gamma: float | None = None

    @classmethod
    def of(
        cls, unet: nn.Module, scheduler_config: Mapping[str, Any], min_snr_gamma: float | None = None
    ) -> PredictionError:
        """Of a UNet3DConditionModel and its scheduler_config.json."""
        return cls(partial(denoise, unet), NoiseSchedule.of(scheduler_config), min_snr_gamma)

    def squared(self, clean: Tensor, noise: Tensor, t: Tensor, context: Tensor) -> Tensor:
        """Squared error in float32, [B, c, F, h, w], without weights, for latents and noise of that shape."""
        noisy = self.schedule.add_noise(clean, noise, t)
        target = self.schedule.target(clean, noise, t)
        predicted = self.predict(noisy, t.to(clean.device), context).float()
        return (predicted - target).square()

    def per_clip(self, clean: Tensor, noise: Tensor, t: Tensor, context: Tensor) -> Tensor:
        """Mean squared error of every clip times the weight of its timestep, [B]."""
        mse = self.squared(clean, noise, t, context).mean(dim=(1, 2, 3, 4))
        return mse * self.weight(t).to(mse)

    def weight(self, t: Tensor) -> Tensor:
        """Weight of timesteps t [B], [B]: section 3.4 of the min-SNR paper, for what the model predicts."""
        if self.min_snr_gamma is None:
            return torch.ones(len(t))
        snr = self.schedule.snr(t)
        divisor = {"epsilon": snr, "v_prediction": snr + 1, "sample": torch.ones_like(snr)}
        return snr.clamp(max=self.min_snr_gamma) / divisor[self.schedule.prediction_type]


def temp_l1(tokens: Tensor) -> Tensor:
    """Mean magnitude of the temp tokens [B, F, D] of every clip, [B]."""
    return tokens.abs().mean(dim=(1, 2))
