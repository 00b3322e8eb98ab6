"""Where the attack of an onset begins, to about a millisecond.

Legend: N samples, n onsets, T steps of a millisecond, M mel bands.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .spectra import mel_decibels, power

Floats = np.ndarray[Any, np.dtype[np.float32]]
Samples = np.ndarray[Any, np.dtype[np.intp]]

HOP_SECONDS, WINDOW_SECONDS = 0.001, 0.006
BEFORE_SECONDS, AFTER_SECONDS = 0.040, 0.022  # around the peak of the flux
REACH_SECONDS = BEFORE_SECONDS + WINDOW_SECONDS
EARLIEST_SECONDS, LATEST_SECONDS = 0.020, 0.015  # of the steepest rise, around the peak of the flux
STEEP_STEPS = 6  # over which the steepest rise is measured
BEGUN = 0.1  # share of the rise at which the attack has begun
AHEAD_SECONDS = 0.0022  # by which the window sees an attack before it begins, in the median
CLEAN_SHARE = 0.06  # of the peak: an attack out of quiet begins with the first sample so loud
QUIET_SHARE = 0.04  # of the peak, which what sounds before it stays below (an MP3 has some)
NEAR_SECONDS = 0.003  # in which that sample is looked for, to both sides
RANGE_DB = 45.0  # below the loudest band around an onset: what an MP3 makes ahead of a hit lies lower
FALL = 0.25  # share of the power before, below which a sound ends and none begins
FALL_SECONDS = (0.005, 0.025)  # away from the attack, where the power is compared
_BASE_STEPS = 10
_AT_ONCE = 64


def attack_times(samples: Floats, near: Samples, rate: int) -> Floats:
    """Begin of the attack near the given samples [n], as samples that need not be whole, float [n].

    `samples` must reach `REACH_SECONDS` to both sides. Each band's rise above its level before is averaged
    over the bands; the attack begins where that curve leaves the foot of its steepest rise, and out of quiet
    with the first loud sample there.
    """
    parts = [
        _attacks(samples, near[start : start + _AT_ONCE], rate) for start in range(0, len(near), _AT_ONCE)
    ]
    feet = np.concatenate([*parts, np.zeros(0)])
    return np.asarray([_first_loud(samples, float(foot), rate) for foot in feet], np.float64)


def is_end(samples: Floats, at: float, rate: int) -> bool:
    """Whether the sound gets softer at this sample: a sound that is cut off clicks, but nothing begins."""
    near, far = (round(seconds * rate) for seconds in FALL_SECONDS)
    middle = round(at)
    before, after = samples[max(0, middle - far) : middle - near], samples[middle + near : middle + far]
    return bool(np.square(after).sum() < FALL * np.square(before).sum())


def _first_loud(samples: Floats, foot: float, rate: int) -> float:
    """The sample at which a sound begins out of quiet, near `foot`; else `foot`."""
    reach = round(NEAR_SECONDS * rate)
    first = round(foot) - reach
    around = np.abs(samples[first - reach : first + 3 * reach])
    peak = float(around[reach:].max(initial=0.0))
    if float(around[:reach].max(initial=0.0)) > QUIET_SHARE * peak:
        return foot
    loud = np.flatnonzero(around[reach : 3 * reach] > CLEAN_SHARE * peak)
    return float(first + loud[0]) if len(loud) else foot


def _attacks(samples: Floats, near: Samples, rate: int) -> Floats:
    hop = max(1, round(rate * HOP_SECONDS))
    half = max(4, round(rate * WINDOW_SECONDS / 2))
    before, after = round(BEFORE_SECONDS * rate), round(AFTER_SECONDS * rate)
    offsets = np.arange(-before - half, after + half)
    spectra = power(samples[near[:, None] + offsets], 2 * half, hop)
    decibels = mel_decibels(spectra, rate)
    decibels = np.maximum(decibels, decibels.max(axis=(1, 2), keepdims=True) - RANGE_DB)
    base = decibels[:, :_BASE_STEPS].mean(axis=1, keepdims=True)
    rises = np.maximum(decibels - base, 0).mean(axis=2)
    found = [_foot(rise, before // hop, rate / hop) for rise in rises]
    ahead = AHEAD_SECONDS * rate
    return np.asarray(near - before + np.asarray(found) * hop + ahead, np.float64)


def _foot(rise: Floats, peak: int, steps_per_second: float) -> float:
    """Step at which the steepest rise near `peak` begins."""
    first = max(0, peak - round(EARLIEST_SECONDS * steps_per_second))
    last = peak + round(LATEST_SECONDS * steps_per_second)
    steepness = rise[STEEP_STEPS:] - rise[:-STEEP_STEPS]
    steepest = first + int(np.argmax(steepness[first:last]))
    low = float(rise[max(0, steepest - 2 * STEEP_STEPS) : steepest + 1].min())
    high = float(rise[steepest : steepest + 2 * STEEP_STEPS + 3].max())
    level = low + BEGUN * (high - low)
    step = steepest + STEEP_STEPS
    while step > 0 and rise[step] > level:
        step -= 1
    # Between the last step below the level and the first above it.
    step = min(step, len(rise) - 2)
    climb = float(rise[step + 1] - rise[step])
    return step + (min(1.0, max(0.0, (level - float(rise[step])) / climb)) if climb > 0 else 0.0)
