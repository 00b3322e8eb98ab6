"""Which modules of a UNet and of its CLIP text encoder are changed by what `layers` offers.

Those that return an `Undo` are undone by calling it. What may be combined stands in `layers/__init__.py`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ... import layers
from ...layers import Undo

# Small, and every value passes through them.
IN_FULL = ("conv_in", "conv_out", "time_embedding")


def blocks(unet: Any) -> list[nn.Module]:
    """The down blocks, the middle block and the up blocks, in the order in which they run."""
    return [*unet.down_blocks, unet.mid_block, *unet.up_blocks]


def compile_blocks(unet: nn.Module, backend: str = "inductor") -> Undo:
    """Let residual blocks, temporal convolutions and transformer blocks run compiled; returns what undoes it.

    What is between them stays as it is: text per frame, places to cancel, results of earlier steps. The first
    clip of a size takes minutes. See `layers.compile_modules`.
    """
    return layers.compile_modules(repeated_blocks(unet), backend)


def checkpoint_blocks(unet: nn.Module) -> Undo:
    """Recompute every down, middle and up block in backward; returns what undoes it."""
    return layers.checkpoint_modules(blocks(unet))


def checkpoint_layers(text_encoder: nn.Module) -> Undo:
    """Recompute the layers of a CLIP text encoder, which run once per frame; returns what undoes it."""
    from transformers.models.clip.modeling_clip import CLIPEncoderLayer

    return layers.checkpoint_modules(m for m in text_encoder.modules() if isinstance(m, CLIPEncoderLayer))


def offload_weights(unet: nn.Module, device: torch.device | str) -> Undo:
    """Let the UNet run on `device` while its large weights stay in the CPU's memory; returns what undoes it.

    See `layers.offload_weights`.
    """
    return layers.offload_weights(unet, device, IN_FULL)


def store_fp8(unet: nn.Module) -> None:
    """Round the large weights to 8 bits, in place. See `layers.store_fp8`."""
    layers.store_fp8(unet, IN_FULL)


def repeated_blocks(unet: nn.Module) -> list[nn.Module]:
    """The blocks of few kinds that a UNet is made of."""
    from diffusers.models.attention import BasicTransformerBlock
    from diffusers.models.resnet import ResnetBlock2D, TemporalConvLayer

    kinds = (ResnetBlock2D, TemporalConvLayer, BasicTransformerBlock)
    return [module for module in unet.modules() if isinstance(module, kinds)]
