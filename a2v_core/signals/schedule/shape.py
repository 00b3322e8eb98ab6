"""Shaping of a schedule: what synthesisers call an envelope, on the frames of a video.

Everything is symmetric in time or looks ahead, so that peaks stay where they are: an attack rises up to the
peak and does not begin with it.

Legend: F video frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ...errors import A2VError

Values = np.ndarray[Any, np.dtype[np.float64]]

_SILENT = 1e-3  # an attack or release has faded to this after its time: -60 dB
_NO_SMOOTHING = 0.1  # frames; a Gaussian so narrow changes nothing


@dataclass(frozen=True)
class Shape:
    """How a measured signal in 0..1 becomes a schedule, in this order.

    floor, ceiling  what becomes 0 and what becomes 1; the rest is stretched between them and clipped
    threshold       values below become 0, after the stretching
    gamma           power: above 1 favours peaks, below 1 lifts what is soft
    hold            seconds for which a value stays up before it falls
    attack          seconds of the rise up to a peak, which looks ahead
    release         seconds of the fall after it, to a thousandth
    smoothing       standard deviation in seconds of a symmetric Gaussian
    invert          1 - value
    low, high       range of the result: 0 becomes `low`, 1 becomes `high`; `low` may be the greater one
    """

    floor: float = 0.0
    ceiling: float = 1.0
    threshold: float = 0.0
    gamma: float = 1.0
    hold: float = 0.0
    attack: float = 0.0
    release: float = 0.0
    smoothing: float = 0.0
    invert: bool = False
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not math.isfinite(getattr(self, field.name)):
                raise A2VError(f"{field.name} is {getattr(self, field.name)}: expected a finite number")
        for name in ("hold", "attack", "release", "smoothing"):
            if getattr(self, name) < 0:
                raise A2VError(f"{name} is {getattr(self, name)} s: expected 0 or more seconds")
        if not self.floor < self.ceiling:
            raise A2VError(f"floor {self.floor} must be below ceiling {self.ceiling}")
        if not self.gamma > 0:
            raise A2VError(f"gamma is {self.gamma}: expected more than 0; 1 changes nothing")


def shaped(values: Values, shape: Shape, fps: float) -> Values:
    """A signal of one value per frame [F], in 0..1, as the shape says: float64 [F]."""
    result = ((np.asarray(values, np.float64) - shape.floor) / (shape.ceiling - shape.floor)).clip(0, 1)
    result = np.where(result < shape.threshold, 0.0, result) ** shape.gamma
    result = _held(result, round(shape.hold * fps))
    result = np.maximum(
        _falling(result[::-1], shape.attack * fps)[::-1], _falling(result, shape.release * fps)
    )
    if shape.smoothing * fps > _NO_SMOOTHING:
        from scipy.ndimage import gaussian_filter1d

        result = gaussian_filter1d(result, shape.smoothing * fps, mode="nearest", truncate=3.0)
    if shape.invert:
        result = 1 - result
    return np.asarray(shape.low + (shape.high - shape.low) * result, np.float64)


def _held(values: Values, frames: int) -> Values:
    """The largest of each value and the `frames` before it."""
    if frames < 1:
        return values
    padded = np.concatenate([np.zeros(frames), values])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, frames + 1).max(axis=1))


def _falling(values: Values, frames: float) -> Values:
    """Values that fall to a thousandth within `frames`, but not below the signal."""
    if frames <= 0:
        return values
    keep = _SILENT ** (1 / frames)
    result = values.copy()
    level = 0.0
    for number, value in enumerate(values.tolist()):
        level = max(value, level * keep)
        result[number] = level
    return result
