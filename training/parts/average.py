"""Exponential moving average (EMA) of weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MovingAverage:
    """Exponential moving average of a module's weights in float32, with a lower decay in the first steps.

    `values` is a state dict; buffers that are not floating point are copied.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {key: _float_copy(value) for key, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Update with the weights after step `step` (from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for key, value in module.state_dict().items():
            if value.is_floating_point():
                self.values[key].lerp_(value.float(), 1 - decay)
            else:
                self.values[key].copy_(value)


def _float_copy(value: Tensor) -> Tensor:
    copy = value.detach().clone()
    return copy.float() if copy.is_floating_point() else copy
