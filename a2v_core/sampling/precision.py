"""Computing in half precision for a while, with weights that stay what they are."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from ..backbones import Backbone, Part
from .speed import Speed


def in_precision_of(speed: Speed, backbone: Backbone, part: Part) -> AbstractContextManager[None]:
    """While it lasts, a part of a backbone computes in the precision of a mode, if the backbone can."""
    convert = getattr(backbone, "bfloat16", None)
    if speed.bfloat16 and convert is not None:
        converted: AbstractContextManager[None] = convert(part)
        return converted
    return nullcontext()
