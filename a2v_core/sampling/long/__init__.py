"""Videos longer than the model's own clips."""

from __future__ import annotations

from .resume import Progress, keep_newest
from .sampler import sample_long
from .settings import LongMode, LongSettings

__all__ = [
    "LongMode",
    "LongSettings",
    "Progress",
    "keep_newest",
    "sample_long",
]
