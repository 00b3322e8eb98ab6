"""When something moves: peaks of the motion in a video, dated between frames.

Legend: F video frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .flow import Motion
from .peaks import MIN_FLOW

REFERENCE_FPS = 12.0
PROMINENCE = 0.4  # of the span between the median and the 95th percentile of the motion
MIN_FRAMES = 4
SHAKING = 3.0  # times its usual speed, which a shaking camera hardly exceeds
REACH = 2  # values beside a peak that its centre counts

Floats = np.ndarray[Any, np.dtype[np.float64]]


def motion_curve(motion: Motion) -> tuple[Floats, Floats]:
    """Times in seconds (the middle of the two frames that a value compares) and motion, one value per frame.

    Motion is in pixels of a 384 x 384 picture per 1/12 s: what moves in the picture, and what the whole
    picture moves beyond a shaking camera, whose usual speed is the median over the clip.
    """
    shown = np.asarray(motion.frame_times, float)
    if len(motion.relative) == 0:
        return shown, np.zeros(len(shown))
    camera = np.asarray(motion.camera, float)
    beyond = np.maximum(0.0, camera - SHAKING * np.median(camera[1:]))
    speed = np.hypot(np.asarray(motion.relative, float), beyond) * motion.scale
    gaps = np.diff(shown, prepend=shown[0] - 1 / motion.fps)
    return shown - gaps / 2, speed / (gaps * REFERENCE_FPS)


def prominent_peaks(curve: Sequence[float] | Floats) -> tuple[int, ...]:
    """Indexes from 2 on of the local maxima of at least 0.1 with enough prominence.

    The prominence, the height above the higher of the two valleys beside a peak, must be 40 % of the span
    between the median and the 95th percentile. Index 1 has only a copy of itself to its left.
    """
    values = np.asarray(curve, float)
    if len(values) < MIN_FRAMES:
        return ()
    from scipy.signal import find_peaks

    median, high = np.percentile(values, [50, 95])
    peaks, _ = find_peaks(values[1:], height=MIN_FLOW, prominence=max(1e-12, PROMINENCE * (high - median)))
    return tuple(int(index) + 1 for index in peaks)


def peak_centres(times: Floats, curve: Floats, peaks: Sequence[int]) -> tuple[float, ...]:
    """The middle of each motion in seconds: centre of mass of the peak and of up to two falling values to
    each side, above the lowest of them.

    A motion that begins between two frames divides itself among the values around; their shares say where it
    began, to a fraction of a frame.
    """
    return tuple(_centre(times, curve, peak) for peak in peaks)


def _centre(times: Floats, curve: Floats, peak: int) -> float:
    first = last = peak
    while first - 1 >= max(1, peak - REACH) and curve[first - 1] <= curve[first]:
        first -= 1
    while last + 1 <= min(len(curve) - 1, peak + REACH) and curve[last + 1] <= curve[last]:
        last += 1
    lowest = float(curve[max(1, peak - REACH) : peak + REACH + 1].min())
    weights = curve[first : last + 1] - lowest
    total = float(weights.sum())
    return float(times[first : last + 1] @ weights) / total if total > 0 else float(times[peak])
