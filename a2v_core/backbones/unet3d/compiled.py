"""The UNet's repeated blocks through torch.compile: residual, temporal convolution and transformer blocks.

Blocks of one kind share their compiled code, one for every shape; PyTorch keeps it on disk, so that later
processes start faster. Every block is one graph: what would break it is an error, not a slow path. Between
the blocks all is as it was: text per frame, places to cancel, shared and kept work of `whole.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

# Few kinds of blocks, in many shapes: of channels, of pictures, with one branch of guidance and with all.
KINDS = ("ResnetBlock2D", "TemporalConvLayer", "BasicTransformerBlock")
_SHAPES = 256


def compile_blocks(unet: nn.Module, backend: str = "inductor") -> int:
    """Let the blocks of a UNet run compiled where no gradients are asked for; returns how many.

    The first call with a shape takes long, minutes for the first clip of a size; "inductor" needs a C++
    compiler on a CPU and Triton on a GPU. Results are the same to rounding. Weights, names and hooks stay as
    they are, copies of the UNet are compiled too, and repeating it is harmless.
    `backend` is torch.compile's. Needs PyTorch 2.6 or newer.
    """
    count = 0
    for block in unet.modules():
        if type(block).__name__ in KINDS:
            block.forward = _Compiled(block, backend)
            count += 1
    return count


class _Compiled:
    """The forward of a block; a copy of the block gets a copy of it."""

    def __init__(self, block: nn.Module, backend: str) -> None:
        self._block, self._backend = block, backend

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        block = self._block
        kind: Any = type(block)
        # Kept attention (`feature_cache.py`) changes from step to step what the layers inside do.
        changed = any("forward" in vars(child) for child in block.children())
        if changed or torch.is_grad_enabled():
            return kind.forward(block, *args, **kwargs)
        return _compiled(kind, self._backend)(block, *args, **kwargs)


@functools.cache
def _compiled(kind: Any, backend: str) -> Callable[..., Any]:
    import torch._dynamo as dynamo

    dynamo.config.recompile_limit = max(dynamo.config.recompile_limit, _SHAPES)
    dynamo.config.accumulated_recompile_limit = max(dynamo.config.accumulated_recompile_limit, 8 * _SHAPES)
    compiled: Callable[..., Any] = torch.compile(kind.forward, fullgraph=True, dynamic=False, backend=backend)
    return compiled
