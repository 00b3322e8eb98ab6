"""AdamW with its learning rate as a function of the step, a moving average, gradients over processes."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ..config.schema import Optimizer


def make_optimizer(mapper: nn.Module, config: Optimizer) -> torch.optim.AdamW:
    """AdamW over the parameters that are trained."""
    return torch.optim.AdamW(
        [p for p in mapper.parameters() if p.requires_grad],
        lr=config.learning_rate,
        betas=(config.betas[0], config.betas[1]),
        weight_decay=config.weight_decay,
        eps=config.eps,
    )


def learning_rate(config: Optimizer, step: int, steps: int) -> float:
    """The rate of step `step` (from 0) of `steps`."""
    if step < config.warm_up_steps:
        return config.learning_rate * (step + 1) / config.warm_up_steps
    if config.schedule == "constant":
        return config.learning_rate
    done = (step - config.warm_up_steps) / max(1, steps - 1 - config.warm_up_steps)
    share = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return config.learning_rate * (config.final_share + (1 - config.final_share) * share)


class Average:
    """Exponential moving average of a module's weights, quicker in the first steps."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {key: value.detach().clone() for key, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Take in the weights after step `step` (from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for key, value in module.state_dict().items():
            self.values[key].lerp_(value, 1 - decay)


def flat_gradient(parameters: Iterable[nn.Parameter]) -> Tensor:
    """All gradients one after the other; zeros where there is none."""
    return torch.cat(
        [(torch.zeros_like(p) if p.grad is None else p.grad).detach().flatten() for p in parameters]
    )


def set_gradient(parameters: Iterable[nn.Parameter], flat: Tensor) -> None:
    """The opposite of `flat_gradient`."""
    start = 0
    for parameter in parameters:
        parameter.grad = flat[start : start + parameter.numel()].view_as(parameter).clone()
        start += parameter.numel()
