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
    motion_weight  of `motion_weights`; 0: all latent pixels weigh the same
    """

    predict: Callable[[Tensor, Tensor, Any], Tensor]
    schedule: Schedule
    min_snr_gamma: float | None = None
    motion_weight: float = 0.0

    @classmethod
    def of(
        cls, backbone: Backbone, min_snr_gamma: float | None = None, motion_weight: float = 0.0
    ) -> PredictionError:
        """That of a loaded model, at the timesteps of its own noise schedule."""
        schedule = backbone.schedule(DEFAULT_SCHEDULER, 1, 0)
        return cls(backbone.denoise, schedule, min_snr_gamma, motion_weight)

    def squared(self, clean: Tensor, noise: Tensor, t: Tensor, context: Any) -> Tensor:
        """Squared error in float32, [B, c, f, h, w], without weights, for latents and noise of that shape."""
        return self.signed(clean, noise, t, context).square()

    def signed(self, clean: Tensor, noise: Tensor, t: Tensor, context: Any) -> Tensor:
        """The error itself: what was predicted less what should have been."""
        noisy = self.schedule.add_noise(clean, noise, t)
        target = self.schedule.target(clean, noise, t)
        return self.predict(noisy, t.to(clean.device), context).float() - target

    def per_clip(self, clean: Tensor, noise: Tensor, t: Tensor, context: Any) -> Tensor:
        """Mean squared error of every clip, with the weights of its latent pixels and its timestep, [B]."""
        squared = self.squared(clean, noise, t, context)
        if self.motion_weight:
            squared = squared * motion_weights(clean, self.motion_weight)
        mse = squared.mean(dim=(1, 2, 3, 4))
        return mse * self.weight(t).to(mse)

    def weight(self, t: Tensor) -> Tensor:
        """Weight of timesteps t [B], [B]: section 3.4 of the min-SNR paper, for what the model predicts."""
        if self.min_snr_gamma is None:
            return torch.ones(len(t))
        return self.schedule.min_snr_weight(t, self.min_snr_gamma)


def motion_weights(clean: Tensor, weight: float) -> Tensor:
    """What the errors of latent pixels count, [B, 1, f, h, w], for clean latents [B, c, f, h, w]; mean 1.

    With d(i) the mean over channels of |clean(i + 1) - clean(i)| and m(i) the larger of d(i - 1) and d(i),
    the change to a frame's neighbours, a pixel counts (1 + weight * m / M) / (1 + weight), M the mean of m
    over the clip.
    A clip without change counts 1 everywhere.
    """
    steps = clean.diff(dim=2).abs().mean(dim=1, keepdim=True)
    edge = torch.zeros_like(clean[:, :1, :1])
    change = torch.maximum(torch.cat([edge, steps], dim=2), torch.cat([steps, edge], dim=2))
    mean = change.mean(dim=(1, 2, 3, 4), keepdim=True)
    relative = torch.where(mean > 0, change / mean, torch.ones_like(change))
    return (1 + weight * relative) / (1 + weight)


def temp_l1(tokens: Tensor) -> Tensor:
    """Mean magnitude of the temp tokens [B, F, D] of every clip, [B]."""
    return tokens.abs().mean(dim=(1, 2))
