"""What a UNet3DConditionModel is made of: blocks, their layers, and the units of its two ways.

A unit is one layer, one change of resolution, or on the way up a layer and the change of resolution after it.
Unit n on the way down makes the skip connection that the n-th unit from the end reads on the way up.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from torch import nn

from ...layers import is_replaced
from ..clip_unet import blocks


class Layer(NamedTuple):
    """A residual block, the temporal convolution after it and, in blocks that see text, two transformers."""

    resnet: Any
    temporal_conv: Any
    attention: Any = None
    temporal_attention: Any = None


NO_LAYER = Layer(None, None)  # of a unit that only changes the resolution


class Unit(NamedTuple):
    """What makes one skip connection on the way down, or reads one on the way up."""

    layer: Layer
    resize: Sequence[Any] = ()


def understands(unet: Any) -> bool:
    """Whether a UNet is one whose order is known here: a UNet3DConditionModel, not compiled as a whole."""
    from diffusers import UNet3DConditionModel

    return type(unet) is UNet3DConditionModel and not is_replaced(unet)


def attention_layers(unet: nn.Module) -> list[nn.Module]:
    """The attention layers but for those of the first transformer, which branches of guidance share."""
    from diffusers.models.attention_processor import Attention

    return [m for block in blocks(unet) for m in block.modules() if isinstance(m, Attention)]


def sees_text(block: nn.Module) -> bool:
    """Whether a block has transformers, and so takes a text."""
    return hasattr(block, "attentions")


def down_units(unet: Any) -> list[Unit]:
    """The units on the way down, in order."""
    units: list[Unit] = []
    for block in unet.down_blocks:
        units += [Unit(layer) for layer in layers(block)]
        if block.downsamplers is not None:
            units.append(Unit(NO_LAYER, block.downsamplers))
    return units


def up_units(unet: Any) -> list[Unit]:
    """The units on the way up, in order."""
    units: list[Unit] = []
    for block in unet.up_blocks:
        *others, last = layers(block)
        units += [*(Unit(layer) for layer in others), Unit(last, block.upsamplers or ())]
    return units


def unit_count(unet: Any) -> int:
    """How many units a UNet has on its way up: the most that `Speed.shallow` can mean."""
    return len(up_units(unet))


def layers(block: Any) -> list[Layer]:
    """Of any block. The middle block ends with a layer that has no transformers."""
    parts = [block.resnets, block.temp_convs]
    if sees_text(block):
        parts += [block.attentions, block.temp_attentions]
    return [Layer(*layer) for layer in zip_longest(*parts)]
