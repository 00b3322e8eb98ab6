"""What the tests of checkpoints read, write and load."""

from __future__ import annotations

import torch
from torch import Tensor, nn

TENSORS = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2)}


def assert_tensors(found: dict[str, Tensor]) -> None:
    assert list(found) == list(TENSORS)
    for key, value in TENSORS.items():
        torch.testing.assert_close(found[key], value, atol=0, rtol=0)


def linear() -> nn.Module:
    return nn.ModuleDict({"a": nn.Linear(3, 2)})
