"""AdamW and its learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn


@dataclass(frozen=True)
class LearningRate:
    """The learning rate as a function of the step: linear warm-up, then constant or a cosine.

    peak           highest value
    schedule       constant, or cosine from `cosine_start` to the last step
    warm_up_steps  steps of linear warm-up
    final_share    share of the peak that is left at the last step of a cosine
    cosine_start   step from which the cosine falls; None: after the warm-up. Within the warm-up both factors
                   apply
    cosine         the function itself
    """

    peak: float
    schedule: Literal["constant", "cosine"] = "constant"
    warm_up_steps: int = 0
    final_share: float = 0.0
    cosine_start: int | None = None
    cosine: Callable[[float], float] = math.cos

    def at(self, step: int, steps: int) -> float:
        """The rate of step `step` (from 0) of `steps`."""
        rate = self.peak
        start = self.warm_up_steps if self.cosine_start is None else self.cosine_start
        if self.schedule == "cosine" and step >= start:
            done = min(1.0, (step - start) / max(1, steps - 1 - start))
            share = 0.5 * (1 + self.cosine(math.pi * done))
            rate *= self.final_share + (1 - self.final_share) * share
        if step < self.warm_up_steps:
            rate = rate * (step + 1) / self.warm_up_steps
        return rate


def make_optimizer(
    module: nn.Module,
    learning_rate: float,
    *,
    betas: tuple[float, float],
    weight_decay: float,
    eps: float = 1e-8,
) -> torch.optim.AdamW:
    """AdamW over the parameters that require gradients."""
    parameters = [p for p in module.parameters() if p.requires_grad]
    return torch.optim.AdamW(parameters, lr=learning_rate, betas=betas, weight_decay=weight_decay, eps=eps)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all parameter groups."""
    for group in optimizer.param_groups:
        group["lr"] = rate
