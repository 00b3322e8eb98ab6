"""A measured signal over time, finer than video frames.

Legend: T steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]


class Unit(Enum):
    """What the values of a curve are, and so how a video frame sums up its steps."""

    POWER = "power"  # mean square, of full scale: its mean counts, read as an amplitude
    DECIBELS = "decibels"  # mean square as well, read in decibels (LUFS where it is K-weighted)
    CHANGE = "change"  # how much changes at a step: the largest counts
    SHARE = "share"  # 0..1: the mean counts


@dataclass(frozen=True)
class Curve:
    """values float32 [T], step n covers n * step_seconds up to (n + 1) * step_seconds of the sound."""

    values: Floats
    step_seconds: float
    unit: Unit
