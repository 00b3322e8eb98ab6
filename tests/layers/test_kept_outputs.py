"""Outputs of earlier evaluations: per branch, only where all of them are there, never with gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from a2v_core.layers import KeptOutputs, is_replaced
from tests.layers.small import small_network

BOTH = ("negative", "prompt")


@pytest.fixture
def layer() -> nn.Module:
    return small_network().inner


def rows(*values: float) -> Tensor:
    """A row for every branch."""
    return torch.tensor(values, dtype=torch.float32)[:, None].expand(-1, 16)


@torch.no_grad()
def test_outputs_are_kept_for_every_branch(layer: nn.Module) -> None:
    outputs = KeptOutputs()
    first = layer(rows(1, 2))
    with outputs.active([layer]):
        outputs.begin(BOTH, reuse=True)  # nothing is kept yet
        assert torch.equal(layer(rows(1, 2)), first)
        outputs.begin(BOTH, reuse=True)
        assert torch.equal(layer(rows(3, 4)), first)
        outputs.begin(BOTH[::-1], reuse=True)
        assert torch.equal(layer(rows(3, 4)), first.flip(0))
        outputs.begin(BOTH[1:], reuse=True)
        assert torch.equal(layer(rows(4)), first[1:])
        outputs.begin(BOTH[1:], reuse=False)
        new = layer(rows(4))
        assert not torch.equal(new, first[1:])
        outputs.begin(BOTH, reuse=True)
        assert torch.equal(layer(rows(5, 6)), torch.cat([first[:1], new]))
        outputs.begin(("text", "prompt"), reuse=True)  # one of them is not known
        assert not torch.equal(layer(rows(5, 6))[1:], new)


@torch.no_grad()
def test_afterwards_the_modules_are_as_they_were(layer: nn.Module) -> None:
    outputs = KeptOutputs()

    def cancelled() -> None:
        with outputs.active([layer]):
            assert is_replaced(layer)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        cancelled()
    assert not is_replaced(layer)


def test_with_gradients_modules_run(layer: nn.Module) -> None:
    outputs = KeptOutputs()
    outputs.begin(("prompt",), reuse=True)
    x = rows(1).clone().requires_grad_()
    with outputs.active([layer]):
        layer(x).sum().backward()
    assert x.grad is not None
    assert outputs.find(layer) is None
