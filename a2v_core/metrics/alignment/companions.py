"""Measures beside AV-Align that need neither peaks nor weights: how sound and motion move together over time,
and how smooth the motion and how steady the light is.

Legend: F video frames, T steps of the onset envelope, L lags.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...audio import Onsets, trusted_onsets
from .flow import Motion
from .trusted import MIN_FRAMES, motion_curve

MAX_LAG_MS = 500
STEP_MS = 10
MIN_SECONDS = 1.0  # a shorter clip has no room for the lags

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class CrossCorrelation:
    """Pearson correlation of onset strength and motion over the lag of the picture.

    best          the largest correlation, -1..1, or None where there is no motion or no sound
    lag_ms        the lag at which it is: above 0 the picture is late
    at_zero       the correlation as the clip is
    curve         the correlation at every lag from -500 to 500 ms in steps of 10 ms
    """

    best: float | None
    lag_ms: float | None
    at_zero: float | None
    curve: tuple[float, ...] = ()


@dataclass(frozen=True)
class Steadiness:
    """How smoothly a clip moves. None where the clip is too short to tell.

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

    The envelope is smoothed by half a frame to the resolution of the flow. Without the start that
    `trusted_onsets` leaves out.
    """
    nothing = CrossCorrelation(None, None, None)
    if motion.num_frames < MIN_FRAMES or motion.num_frames / motion.fps < MIN_SECONDS:
        return nothing
    times, speed = motion_curve(motion)
    clean = np.asarray(trusted_onsets(onsets).envelope, float)
    step = STEP_MS / 1000
    grid = np.arange(times[1], times[-1], step)
    moving = np.interp(grid, times[1:], speed[1:])
    lags = np.arange(-MAX_LAG_MS, MAX_LAG_MS + 1, STEP_MS) / 1000
    wide = np.arange(grid[0] + lags[0], grid[-1] + lags[-1] + step, step)
    strength = np.interp(wide, np.arange(len(clean)) * onsets.hop_seconds, clean, left=0.0, right=0.0)
    width = max(1, round(1 / motion.fps / step))
    strength = np.convolve(strength, np.ones(width) / width, mode="same")
    # The picture late by `lag`: motion at t belongs to sound at t - lag.
    curve = np.array([_pearson(moving, _at(strength, wide, grid - lag)) for lag in lags])
    if not np.isfinite(curve).any():
        return nothing
    curve = np.nan_to_num(curve)
    best = int(curve.argmax())
    return CrossCorrelation(
        float(curve[best]),
        float(round(1000 * lags[best])),
        float(curve[len(lags) // 2]),
        tuple(map(float, curve)),
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


def _at(values: Array, times: Array, wanted: Array) -> Array:
    return np.interp(wanted, times, values)


def _pearson(one: Array, other: Array) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / size if size > 1e-12 else float("nan")
