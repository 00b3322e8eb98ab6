"""Computing in half precision for a while, with weights that stay what they are."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from ..backbones import Backbone, HalfPrecision, Part, require
from .speed import Speed


def in_precision_of(speed: Speed, backbone: Backbone, part: Part) -> AbstractContextManager[None]:
    """While it lasts, a part of a backbone computes in the precision of a mode, and then in its own again.

    A2VError for a mode in half precision when the backbone has none.
    """
    if not speed.bfloat16:
        return nullcontext()
    return require(backbone, HalfPrecision, "bfloat16").bfloat16(part)
