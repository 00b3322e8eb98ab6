"""What a text-to-video UNet of diffusers is made of: blocks, their layers, and the units of its two ways.

Its layers have a residual block each; a UNet3DConditionModel has temporal convolutions after these, and calls
its temporal transformers `temp_attentions`, a UNetMotionModel calls them `motion_modules`.

A unit is one layer, one change of resolution, or on the way up a layer and the change of resolution after it.
Unit n on the way down makes the skip connection that the n-th unit from the end reads on the way up.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from torch import nn

from .patches import blocks


class Layer(NamedTuple):
    """A residual block and what follows it: a temporal convolution, a transformer that sees text, a temporal
    transformer. None for what a layer does not have."""

    resnet: Any = None
    temporal_conv: Any = None
    attention: Any = None
    temporal_attention: Any = None


NO_LAYER = Layer()  # of a unit that only changes the resolution
_LISTS = (("resnets",), ("temp_convs",), ("attentions",), ("temp_attentions", "motion_modules"))


class Unit(NamedTuple):
    """What makes one skip connection on the way down, or reads one on the way up."""

    layer: Layer
    resize: Sequence[Any] = ()


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
    found = [next((getattr(block, name) for name in names if hasattr(block, name)), ()) for names in _LISTS]
    return [Layer(*layer) for layer in zip_longest(*found)]
