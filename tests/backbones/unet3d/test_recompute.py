"""Gradient checkpointing: the same gradients, every block computed once more and never twice more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from a2v_core.backbones.unet3d.per_frame import denoise
from a2v_core.backbones.unet3d.recompute import checkpoint_blocks, checkpoint_layers
from a2v_core.prompts.splice import encode_ids
from tests.tiny_t2v import TEXT_WIDTH, tiny_unet

Checkpoint = Callable[[nn.Module], Callable[[], None]]


def gradient(kind: str, network: Any) -> Tensor:
    """The gradient of something that runs through the network."""
    if kind == "text":
        tokens = torch.linspace(-1, 1, TEXT_WIDTH).reshape(1, 1, -1).requires_grad_()
        encode_ids(network, torch.tensor([[0, 5, 100, 2]]), tokens, 100).square().sum().backward()
        assert tokens.grad is not None
        return tokens.grad
    text = torch.linspace(-1, 1, 2 * 3 * TEXT_WIDTH).reshape(1, 2, 3, -1).requires_grad_()
    denoise(network, torch.ones(1, 4, 2, 4, 4), 10, text).square().sum().backward()
    assert text.grad is not None
    return text.grad


@pytest.mark.parametrize(("kind", "wrap"), [("text", checkpoint_layers), ("unet", checkpoint_blocks)])
def test_twice_is_once(kind: str, wrap: Checkpoint, encoder: Any) -> None:
    torch.manual_seed(0)
    network = encoder if kind == "text" else tiny_unet().eval().requires_grad_(False)
    part = next(m for m in network.modules() if type(m).__name__ in ("CLIPEncoderLayer", "DownBlock3D"))
    inner = next(m for m in part.modules() if isinstance(m, nn.Linear))
    calls: list[int] = []
    handle = inner.register_forward_hook(lambda *_: calls.append(1))
    plain = gradient(kind, network)
    assert len(calls) == 1
    undo = wrap(network)
    second = wrap(network)
    torch.testing.assert_close(gradient(kind, network), plain)
    assert len(calls) == 1 + 2  # forward, and once more in backward
    second()
    assert "forward" in vars(part), "the second call put nothing on"
    undo()
    assert "forward" not in vars(part)
    torch.testing.assert_close(gradient(kind, network), plain)
    assert len(calls) == 1 + 2 + 1
    handle.remove()
