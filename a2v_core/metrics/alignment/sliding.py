"""The lag of the picture over time: in a sliding stretch, its drift, and before and after every seam.

A seam is a cut of the picture, found in it or given: where clips were joined, their lags may differ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ...errors import A2VError
from .flow import CUT_SHARE, Motion
from .heard import HeardSound
from .lags import Lag, lag_between, lag_pairs
from .moments import motion_curve, peak_centres, prominent_peaks

WINDOW = 4.0  # seconds
STEPS = 4  # windows begin a fourth of one apart
CUT_RATIO = 3.0  # times as much of the picture changes at a cut as usual around it
CUT_AROUND = 0.5  # seconds to each side
MIN_DRIFT_PAIRS = 6

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Drift:
    """How fast the lag grows, in ms a minute, with its 95 % interval: the median slope of all pairs of one
    stretch between seams (Theil-Sen, Sen 1968).
    """

    ms_per_minute: float
    low: float
    high: float

    @property
    def told(self) -> bool:
        """Whether 0 is outside of the interval."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Seam:
    """time: seconds. before, after: lags of the stretches that meet here. jump_ms: how much later the picture
    is after it, with its 95 % interval; None where one of the lags is not known.
    """

    time: float
    before: Lag
    after: Lag
    jump_ms: float | None
    low_ms: float | None
    high_ms: float | None


@dataclass(frozen=True)
class LagOverTime:
    """whole: lag of the clip. windows: of sliding stretches. drift: None where there are too few pairs."""

    whole: Lag
    windows: tuple[Lag, ...]
    drift: Drift | None
    seams: tuple[Seam, ...]


def lag_over_time(
    motion: Motion, sound: HeardSound, seams: Sequence[float] | None = None, window: float = WINDOW
) -> LagOverTime:
    """The lag of a clip's picture over time.

    seams   seconds at which clips were joined; None: cuts are found in the picture
    window  seconds of a sliding stretch
    A2VError for a seam outside of the clip or a window that is not above 0.
    """
    times, speed = motion_curve(motion)
    length = motion.num_frames / motion.fps if not motion.times else motion.times[-1] + 1 / motion.fps
    cuts = find_cuts(motion) if seams is None else _checked(seams, length)
    # The leap from one picture to another one at a cut is no motion.
    frame = 1.5 / motion.fps
    peaks = tuple(
        peak
        for peak in peak_centres(times, speed, prominent_peaks(speed))
        if all(abs(peak - cut) > frame for cut in cuts)
    )
    borders = (0.0, *cuts, length)
    stretches = [lag_between(sound.times, peaks, start, end) for start, end in pairwise(borders)]
    windows = tuple(
        lag_between(sound.times, peaks, start, end) for start, end in _windows(length, checked_window(window))
    )
    pairs = [lag_pairs(sound.times, peaks, lag) for lag in (stretches if cuts else windows)]
    return LagOverTime(
        lag_between(sound.times, peaks, 0.0, length),
        windows,
        _drift(_unique(pairs) if not cuts else pairs),
        tuple(_seam(cut, a, b) for cut, (a, b) in zip(cuts, pairwise(stretches), strict=True)),
    )


def find_cuts(motion: Motion) -> tuple[float, ...]:
    """Times of the frames that begin another picture: much of it shows something else than the frame before,
    and much more than between their neighbours.
    """
    unlike, shown = np.asarray(motion.unlike, float), motion.frame_times
    around = max(2, round(CUT_AROUND * motion.fps))
    found = []
    for index in range(1, len(unlike)):
        beside = np.r_[unlike[max(1, index - around) : index], unlike[index + 1 : index + 1 + around]]
        usual = float(np.mean(beside)) if len(beside) else 0.0
        if unlike[index] >= max(CUT_SHARE, CUT_RATIO * usual):
            found.append(float(shown[index]))
    return tuple(found)


def checked_window(window: float) -> float:
    """The window itself; A2VError unless it is finite and above 0."""
    if not (math.isfinite(window) and window > 0):
        raise A2VError(f"The window is {window} s: expected a length above 0, such as {WINDOW:g}.")
    return window


def _checked(seams: Sequence[float], length: float) -> tuple[float, ...]:
    for seam in seams:
        if not 0 < seam < length:
            raise A2VError(f"A seam at {seam:g} s is not within the clip, which is {length:g} s long.")
    return tuple(sorted(set(seams)))


def _windows(length: float, window: float) -> list[tuple[float, float]]:
    """Start and end of the sliding stretches; one for a clip that is no longer than one."""
    if length <= window:
        return [(0.0, length)]
    count = int(np.ceil((length - window) * STEPS / window - 1e-9)) + 1
    starts = np.minimum(np.arange(count) * window / STEPS, length - window)
    return [(float(start), float(start + window)) for start in starts]


def _unique(pairs: list[list[tuple[float, float]]]) -> list[list[tuple[float, float]]]:
    """Pairs of windows that overlap, each once, as one stretch."""
    return [sorted({pair for some in pairs for pair in some})]


def _drift(stretches: list[list[tuple[float, float]]]) -> Drift | None:
    """Slope within the stretches: each has a lag of its own, which is taken out."""
    parts = [np.asarray(pairs) - np.median(pairs, axis=0) for pairs in stretches if len(pairs) > 1]
    if sum(map(len, parts)) < MIN_DRIFT_PAIRS:
        return None
    from scipy.stats import theilslopes

    times, lags = np.concatenate(parts).T
    slope, _, low, high = theilslopes(lags, times, alpha=0.95)
    return Drift(*(60_000 * float(value) for value in (slope, low, high)))


def _seam(time: float, before: Lag, after: Lag) -> Seam:
    if before.ms is None or after.ms is None:
        return Seam(time, before, after, None, None, None)
    assert before.high_ms is not None
    assert after.high_ms is not None
    jump = after.ms - before.ms
    half = float(np.hypot(before.high_ms - before.ms, after.high_ms - after.ms))
    return Seam(time, before, after, jump, jump - half, jump + half)
