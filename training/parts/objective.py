"""Terms of the published loss: prediction error of a text-to-video model, mean magnitude of the temp tokens.

Legend: B clips, c latent channels, f latent frames, F frames, h w latent size, D token width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from a2v_core.backbones import Backbone
from a2v_core.schedules import DEFAULT_SCHEDULER, Schedule


@dataclass(frozen=True)
class PredictionError:
    """Prediction error of a text-to-video model at noisy latents; gradients flow into context and weights.

    predict        latents [B, c, f, h, w], timesteps [B], texts -> prediction [B, c, f, h, w]
    schedule       the noise schedule that the model was trained with
    min_snr_gamma  of min-SNR weighting (arXiv 2303.09556); None: all timesteps weigh the same
    """

    predict: Callable[[Tensor, Tensor, Any], Tensor]
    schedule: Schedule
    min_snr_gamma: float | None = None

    @classmethod
    def of(cls, backbone: Backbone, min_snr_gamma: float | None = None) -> PredictionError:
        """That of a loaded model, at the timesteps of its own noise schedule."""
        return cls(backbone.denoise, backbone.schedule(DEFAULT_SCHEDULER, 1, 0), min_snr_gamma)

    def squared(self, clean: Tensor, noise: Tensor, t: Tensor, context: Any) -> Tensor:
        """Squared error in float32, [B, c, f, h, w], without weights, for latents and noise of that shape."""
        return self.signed(clean, noise, t, context).square()

    def signed(self, clean: Tensor, noise: Tensor, t: Tensor, context: Any) -> Tensor:
        """The error itself: what was predicted less what should have been."""
        noisy = self.schedule.add_noise(clean, noise, t)
        target = self.schedule.target(clean, noise, t)
        return self.predict(noisy, t.to(clean.device), context).float() - target

    def per_clip(self, clean: Tensor, noise: Tensor, t: Tensor, context: Any) -> Tensor:
        """Mean squared error of every clip times the weight of its timestep, [B]."""
        mse = self.squared(clean, noise, t, context).mean(dim=(1, 2, 3, 4))
        return mse * self.weight(t).to(mse)

    def weight(self, t: Tensor) -> Tensor:
        """Weight of timesteps t [B], [B]: section 3.4 of the min-SNR paper, for what the model predicts."""
        if self.min_snr_gamma is None:
            return torch.ones(len(t))
        return self.schedule.min_snr_weight(t, self.min_snr_gamma)


def temp_l1(tokens: Tensor) -> Tensor:
    """Mean magnitude of the temp tokens [B, F, D] of every clip, [B]."""
    return tokens.abs().mean(dim=(1, 2))
