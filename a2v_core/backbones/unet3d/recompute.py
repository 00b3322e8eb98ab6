"""Gradient checkpointing: activations of one block at a time, the rest computed again in backward.

diffusers has none for UNet3DConditionModel, and transformers' own works only in training mode, dropout and
all. Here any module's forward is wrapped (non-reentrant) while gradients are enabled; results are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def checkpoint_blocks(unet: nn.Module) -> Callable[[], None]:
    """Recompute every down, middle and up block of a UNet3DConditionModel; returns what undoes it."""
    return _checkpoint([*unet.down_blocks, unet.mid_block, *unet.up_blocks])  # type: ignore[misc, list-item]


def checkpoint_layers(text_encoder: nn.Module) -> Callable[[], None]:
    """Recompute the layers of a CLIP text encoder, which run once per frame; returns what undoes it."""
    return _checkpoint(m for m in text_encoder.modules() if type(m).__name__ == "CLIPEncoderLayer")


def _checkpoint(modules: Iterable[nn.Module]) -> Callable[[], None]:
    """Wraps what is not wrapped yet, so that twice is once; the undoing takes off what this call put on."""

    def wrapped(forward: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            if not torch.is_grad_enabled():
                return forward(*args, **kwargs)
            return checkpoint(forward, *args, use_reentrant=False, **kwargs)

        return run

    own = [module for module in modules if "forward" not in vars(module)]
    for module in own:
        module.forward = wrapped(module.forward)

    def undo() -> None:
        for module in own:
            vars(module).pop("forward", None)

    return undo
