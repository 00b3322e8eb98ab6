"""Measures beside AV-Align that need neither peaks nor weights: cross-correlation of onset strength and
motion, roughness of the motion, and flicker.

Legend: F video frames, T steps of the onset envelope, L lags.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...audio import Onsets, trusted_onsets
from .flow import Motion
from .moments import MIN_FRAMES, motion_curve

MAX_LAG_MS = 500
STEP_MS = 10
MIN_SECONDS = 1.0  # a shorter clip has no room for the lags

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class CrossCorrelation:
    """Pearson correlation of onset strength and motion over the lag of the picture.

    best          the largest correlation, -1..1, or None where there is no motion or no sound
    lag_ms        the lag of that maximum: above 0 the picture is late
    at_zero       the correlation at lag 0
    """

    best: float | None
    lag_ms: float | None
    at_zero: float | None


@dataclass(frozen=True)
class Steadiness:
    """Roughness of a clip's motion and flicker of its light. None where the clip is too short.

    roughness    mean absolute second difference of the flow, relative to the mean flow: 0 is even motion, 4
                 is motion that starts and stops with every frame
    flicker      mean absolute second difference of the brightness, in grey levels of 255; a fade has none
    change       mean absolute difference between neighbouring frames, in grey levels of 255
    """

    roughness: float | None
    flicker: float | None
    change: float | None


def cross_correlation(motion: Motion, onsets: Onsets) -> CrossCorrelation:
    """Correlation of the onset envelope with the flow, both on a 10 ms grid, over lags of up to 500 ms.

    The envelope is that of `trusted_onsets`, smoothed over a frame to the resolution of the flow.
    """
    undefined = CrossCorrelation(None, None, None)
    if motion.num_frames < MIN_FRAMES or motion.num_frames / motion.fps < MIN_SECONDS:
        return undefined
    times, speed = motion_curve(motion)
    envelope = np.asarray(trusted_onsets(onsets).envelope, float)
    step = STEP_MS / 1000
    grid = np.arange(times[1], times[-1], step)
    flow = np.interp(grid, times[1:], speed[1:])
    lags = np.arange(-MAX_LAG_MS, MAX_LAG_MS + 1, STEP_MS) / 1000
    lagged = np.arange(grid[0] + lags[0], grid[-1] + lags[-1] + step, step)
    strength = np.interp(lagged, np.arange(len(envelope)) * onsets.hop_seconds, envelope, left=0.0, right=0.0)
    width = max(1, round(1 / motion.fps / step))
    strength = np.convolve(strength, np.ones(width) / width, mode="same")
    # The picture late by `lag`: motion at t belongs to sound at t - lag.
    curve = np.array([_pearson(flow, np.interp(grid - lag, lagged, strength)) for lag in lags])
    if not np.isfinite(curve).any():
        return undefined
    curve = np.nan_to_num(curve)
    best = int(curve.argmax())
    return CrossCorrelation(
        float(curve[best]),
        float(round(1000 * lags[best])),
        float(curve[len(lags) // 2]),
    )


def steadiness(motion: Motion) -> Steadiness:
    """Roughness, flicker and change of a clip's motion and light."""
    flow, light = np.asarray(motion.flow[1:]), np.asarray(motion.brightness)
    roughness = None
    if len(flow) >= 3 and flow.mean() > 0:
        roughness = float(np.abs(np.diff(flow, n=2)).mean() / flow.mean())
    return Steadiness(
        roughness=roughness,
        flicker=float(255 * np.abs(np.diff(light, n=2)).mean()) if len(light) >= 3 else None,
        change=float(255 * np.mean(motion.change[1:])) if len(motion.change) >= 2 else None,
    )


def _pearson(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 1e-12 else float("nan")
