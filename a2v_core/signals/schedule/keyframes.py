"""Schedules as the text that Deforum, FizzNodes and their like read: `0:(0.0), 12:(0.8)`.

They interpolate linearly between the frames that are written. Legend: F video frames.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ...errors import A2VError

Values = np.ndarray[Any, np.dtype[np.float64]]

DIGITS = 3
_PAIR = re.compile(r"\s*(\d+)\s*:\s*\(\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*\)\s*")


def keyframe_text(values: Values, tolerance: float = 0.0005) -> str:
    """Values [F] as keyframes, as few as straight lines need to stay within `tolerance` of every value."""
    return ", ".join(f"{frame}:({value:.{DIGITS}f})" for frame, value in keyframes(values, tolerance))


def keyframes(values: Values, tolerance: float = 0.0005) -> list[tuple[int, float]]:
    """The same as pairs of frame and value, the value rounded to `DIGITS`."""
    rounded: Values = np.asarray(np.round(np.asarray(values, np.float64), DIGITS) + 0.0)
    return [(frame, float(rounded[frame])) for frame in _corners(rounded, tolerance + 1e-9)]


def parse_keyframes(text: str, frames: int) -> Values:
    """Keyframes -> values float64 [frames], linear between them and constant beyond the ends.

    A2VError for text that holds anything but numbers (an expression such as `0:(sin(t))` is not evaluated).
    """
    if frames < 1:
        raise A2VError(f"frames is {frames}: expected at least 1")
    pairs = {}
    for part in filter(str.strip, text.split(",")):
        found = _PAIR.fullmatch(part)
        if found is None:
            raise A2VError(
                f"Keyframes: {part.strip()!r} is no keyframe; expected FRAME:(NUMBER), as 0:(0.0), 12:(0.8)"
            )
        pairs[int(found[1])] = float(found[2])
    if not pairs:
        raise A2VError("Keyframes: the text holds none; expected FRAME:(NUMBER), as 0:(0.0), 12:(0.8)")
    at = sorted(pairs)
    return np.asarray(np.interp(np.arange(frames), at, [pairs[frame] for frame in at]), np.float64)


def _corners(values: Values, tolerance: float) -> list[int]:
    """Frames of a polyline that stays within `tolerance`: each segment is as long as it can be.

    From its start every later value allows a range of slopes; it ends before the ranges no longer meet.
    """
    corners, start = [0], 0
    low, high = -np.inf, np.inf
    for frame in range(1, len(values)):
        distance = frame - start
        slope = (values[frame] - values[start]) / distance
        if not low <= slope <= high:
            start = frame - 1
            corners.append(start)
            slope = values[frame] - values[start]
            distance, low, high = 1, -np.inf, np.inf
        low = max(low, slope - tolerance / distance)
        high = min(high, slope + tolerance / distance)
    if corners[-1] != len(values) - 1:
        corners.append(len(values) - 1)
    return corners
