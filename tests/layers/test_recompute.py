"""Gradient checkpointing of any module: the same gradients, and a copy recomputes its own weights."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from a2v_core.layers import checkpoint_modules, is_replaced
from tests.layers.small import Small, small_input, small_network


def gradient(network: Small) -> Tensor:
    x = small_input().requires_grad_()
    network(x).square().sum().backward()
    assert x.grad is not None
    return x.grad


def test_activations_are_recomputed_until_it_is_undone() -> None:
    network = small_network()
    calls: list[int] = []
    network.inner.wide.register_forward_hook(lambda *_: calls.append(1))
    plain = gradient(network)
    undo = checkpoint_modules([network.inner])
    assert torch.equal(gradient(network), plain)
    assert len(calls) == 1 + 2
    undo()
    assert not is_replaced(network.inner)
    assert torch.equal(gradient(network), plain)
    assert len(calls) == 1 + 2 + 1


def test_a_copy_recomputes_its_own_weights() -> None:
    network = small_network()
    checkpoint_modules([network])
    expected = gradient(network)
    twin = copy.deepcopy(network)
    network.conv.weight.zero_()
    assert torch.equal(gradient(twin), expected)
