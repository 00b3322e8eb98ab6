"""Tempo and beats of a sound: a comb over its onset strength, checked by a second estimate.

1. Autocorrelation of the flux at multiples of each period (a comb), favouring what people tap: around 120 per
   minute (after Ellis 2007, "Beat tracking by dynamic programming").
2. The period at which the onsets lie in phase, from their times alone. Where it is neither the same nor twice
   or half as long, the one whose beats hold more of the onsets counts.
3. Beats by Ellis' dynamic programming, moved onto the onsets beside them.

Legend: T steps of 10 ms, P periods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..analysis import FLUX, Curve, Measured, Onset

Floats = np.ndarray[Any, np.dtype[np.float64]]

SLOWEST, FASTEST = 50.0, 220.0  # beats per minute
_USUAL, _OCTAVES = 120.0, 0.9  # centre and deviation of what people tap
_STEP_SECONDS = 0.010
_TEETH = 8
_TIGHTNESS = 100.0
_SNAP_SECONDS = 0.05
_NEAR = 0.1  # of a period: what counts as on the beat
_FEWEST = 4
_AGREE = 0.04
_OCTAVE_RATIOS = (1.0, 2.0, 0.5)
_RATIOS = (*_OCTAVE_RATIOS, 3.0, 1 / 3, 1.5, 2 / 3)


@dataclass(frozen=True)
class Beats:
    """tempo in beats per minute, `second` that of the second estimate; None for a sound without a tempo.

    confidence 0..1: the share of onset strength on the beats and half way between, beyond chance; half of it
    where the estimates differ by a simple ratio, a quarter where by another.
    """

    tempo: float | None
    confidence: float
    second: float | None
    times: tuple[float, ...]


NO_BEATS = Beats(None, 0.0, None, ())


def find_beats(measured: Measured) -> Beats:
    """The beats of a sound measured with the signals "onset" and "flux". Few onsets have none."""
    onsets, curve = measured.onsets, measured.curves[FLUX]
    if len(onsets) < _FEWEST:
        return NO_BEATS
    strength = _steps(curve)
    period = _comb_period(strength)
    if period is None:
        return NO_BEATS
    second = _phase_period(onsets, measured.duration)
    periods = (
        [period] if second is None or _apart(period, second, _OCTAVE_RATIOS) <= _AGREE else [period, second]
    )
    tracks = [_snapped(_track(strength, each / _STEP_SECONDS), onsets) for each in periods]
    shares = [_on_beat(onsets, times) for times in tracks]
    best = int(np.argmax(shares))
    if len(tracks[best]) < 2:
        return NO_BEATS
    confidence = shares[best] * _agreement(period, second)
    found = 60 / _steady(tracks[best], periods[best])
    return Beats(found, round(confidence, 3), None if second is None else 60 / second, tracks[best])


def _steps(curve: Curve) -> Floats:
    """Root of the largest flux in each step of 10 ms: no single hit outweighs the rest."""
    at = (np.arange(len(curve.values)) + 0.5) * curve.step_seconds
    result = np.zeros(int(at[-1] / _STEP_SECONDS) + 1)
    np.maximum.at(result, (at / _STEP_SECONDS).astype(np.int64), np.sqrt(curve.values.astype(np.float64)))
    return result


def _comb_period(strength: Floats) -> float | None:
    """Period in seconds whose multiples correlate best; None for a sound too short."""
    from scipy.fft import irfft, next_fast_len, rfft

    size = next_fast_len(2 * len(strength), real=True)
    centred = strength - strength.mean()
    spectrum = np.abs(rfft(centred, size)) ** 2
    correlation = irfft(spectrum, size)[: len(strength)]
    if not correlation[0] > 0:
        return None
    correlation = correlation / (correlation[0] * (1 - np.arange(len(strength)) / len(strength)).clip(0.1))
    periods = 60 / np.geomspace(SLOWEST, FASTEST, 1200)
    teeth = np.arange(1, _TEETH + 1)
    lags = periods[:, None] * teeth / _STEP_SECONDS
    inside = lags < 0.75 * len(strength)
    if not inside[:, 0].any():
        return None
    values = np.interp(lags, np.arange(len(correlation)), correlation) * inside
    comb = values.sum(axis=1) / inside.sum(axis=1).clip(1)
    usual = np.exp(-0.5 * (np.log2(60 / periods / _USUAL) / _OCTAVES) ** 2)
    return float(periods[int(np.argmax(comb * usual))])


def _phase_period(onsets: Sequence[Onset], duration: float) -> float | None:
    """Period in seconds at which the onsets of a stretch of music lie in phase, the mean over stretches."""
    times = np.array([onset.time for onset in onsets])
    weights = np.sqrt([onset.strength for onset in onsets])
    periods = 60 / np.geomspace(SLOWEST, FASTEST, 600)
    total = np.zeros(len(periods))
    stretch = 12.0
    for start in np.arange(0, max(duration - stretch / 2, 1e-9), stretch / 2):
        inside = (times >= start) & (times < start + stretch)
        if inside.sum() < _FEWEST:
            continue
        phases = np.exp(2j * np.pi * times[inside][None] / periods[:, None])
        total += np.abs((phases * weights[inside]).sum(axis=1))
    if not total.any():
        return None
    usual = np.exp(-0.5 * (np.log2(60 / periods / _USUAL) / _OCTAVES) ** 2)
    return float(periods[int(np.argmax(total * usual))])


def _track(strength: Floats, period: float) -> list[int]:
    """Steps of the beats: strong, and a period apart (Ellis 2007, equation 3)."""
    local = strength / (strength.std() or 1.0)
    first, last = max(1, round(period / 2)), max(2, round(2 * period))
    penalty = -_TIGHTNESS * np.log(np.arange(first, last + 1)[::-1] / period) ** 2
    count = len(local)
    score, previous = local.copy(), np.full(count, -1)
    padded = np.concatenate([np.zeros(last), score])  # before the sound a beat costs nothing
    for step in range(count):
        candidates = padded[step : step + last - first + 1] + penalty
        best = int(candidates.argmax())
        value = candidates[best]
        if value > 0:
            score[step] += value
            previous[step] = step - last + best
        padded[last + step] = score[step]
    tail = max(0, count - round(period))
    step = tail + int(np.argmax(score[tail:]))
    beats = []
    while step >= 0:
        beats.append(step)
        step = int(previous[step])
    return _trimmed(beats[::-1], local)


def _trimmed(beats: list[int], local: Floats) -> list[int]:
    """Without the weak beats before the first strong one and after the last."""
    height = np.array([local[max(0, beat - 3) : beat + 4].max() for beat in beats])
    strong = np.flatnonzero(height >= 0.5 * np.sqrt(np.mean(height**2)))
    return beats[strong[0] : strong[-1] + 1] if len(strong) else []


def _snapped(steps: Sequence[int], onsets: Sequence[Onset]) -> tuple[float, ...]:
    """Times of beats, each at the onset beside it where there is one."""
    times = (np.asarray(steps) + 0.5) * _STEP_SECONDS
    known = np.array([onset.time for onset in onsets])
    result = []
    for time in times:
        nearest = known[int(np.abs(known - time).argmin())]
        result.append(float(nearest if abs(nearest - time) <= _SNAP_SECONDS else time))
    return tuple(sorted(set(result)))


def _on_beat(onsets: Sequence[Onset], beats: Sequence[float]) -> float:
    """Share of the onsets' strength within a tenth of a period of a beat or of half a beat, beyond chance."""
    grid = np.asarray(beats)
    if len(grid) < 2:
        return 0.0
    halves = np.sort(np.concatenate([grid, (grid[1:] + grid[:-1]) / 2]))
    times = np.array([onset.time for onset in onsets])
    strengths = np.array([onset.strength for onset in onsets])
    inside = (times >= grid[0] - 1e-6) & (times <= grid[-1] + 1e-6)
    if not strengths[inside].sum() > 0:
        return 0.0
    period = float(np.median(np.diff(grid)))
    distance = np.abs(times[inside][:, None] - halves).min(axis=1)
    share = float(strengths[inside][distance <= _NEAR * period].sum() / strengths[inside].sum())
    chance = 4 * _NEAR
    return max(0.0, (share - chance) / (1 - chance))


def _steady(beats: Sequence[float], period: float) -> float:
    """The period of a straight line through the beats where they keep to one, else `period`."""
    slope = float(np.polyfit(np.arange(len(beats)), beats, 1)[0])
    return slope if _apart(slope, period, (1.0,)) <= _AGREE / 2 else period


def _agreement(period: float, second: float | None) -> float:
    if second is None:
        return 0.25
    if _apart(period, second, (1.0,)) <= _AGREE:
        return 1.0
    return 0.5 if _apart(period, second, _RATIOS) <= _AGREE else 0.25


def _apart(period: float, other: float, ratios: Sequence[float]) -> float:
    """How far two periods are from the nearest of some ratios, as a logarithm."""
    return float(min(abs(np.log(other / (period * ratio))) for ratio in ratios))
