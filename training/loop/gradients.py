"""All gradients of a module as one vector, which processes average in one all-reduce."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def flat_gradient(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Gradients of all parameters as one vector; zeros for a parameter without gradient."""
    return torch.cat(
        [(torch.zeros_like(p) if p.grad is None else p.grad).detach().flatten() for p in parameters]
    )


def set_gradient(parameters: Iterable[nn.Parameter], flat: Tensor) -> None:
    """Set the gradients of the parameters from a vector as `flat_gradient` returns it."""
    start = 0
    for parameter in parameters:
        parameter.grad = flat[start : start + parameter.numel()].view_as(parameter).clone()
        start += parameter.numel()
