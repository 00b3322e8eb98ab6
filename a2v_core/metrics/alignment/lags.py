"""How late the picture is: one lag for a stretch of time, with the strength that chance would give it.

Every onset and motion peak up to half a second apart is a pair with a distance. The lag of a stretch is where
most distances gather: the maximum of their density under a Gaussian of 40 ms. Chance is what the same numbers
of onsets and motion peaks reach when they have nothing to do with each other.

Legend: A V number of onsets and motion peaks, L lags.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

MAX_LAG_MS = 500
SPREAD = 0.04  # seconds: of the distances of events that belong together
NEAR = 3 * SPREAD  # of a lag: distances that count as its own
MIN_PAIRS = 3
EQUAL = 0.95  # of the highest density: of such lags the shortest is taken
RIVAL = 0.9  # of the highest density: such lags are named
SURROGATES = 200
CONFIDENT = 95  # percent of the surrogates that a lag must exceed
_STEP = 0.005
_Z = 1.959964  # of a 95 % interval

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Lag:
    """Of a stretch of time; above 0 the picture is late.

    start, end        of the stretch, seconds
    ms                the lag, or None where there is none to be told: see `reason`
    low_ms, high_ms   95 % interval of the lag, from the scatter of its pairs
    pairs             pairs of an onset and a motion peak that have this lag
    strength          how many of the onsets and motion peaks gather at the lag, 0..1
    chance            the strength that unrelated ones stay below in 95 of 100 cases
    others_ms         lags that would do nearly as well: a steady beat fits one beat later, too
    reason            why there is no lag; empty otherwise
    """

    start: float
    end: float
    ms: float | None
    low_ms: float | None
    high_ms: float | None
    pairs: int
    strength: float
    chance: float
    others_ms: tuple[float, ...] = ()
    reason: str = ""


def lag_between(audio: Sequence[float], video: Sequence[float], start: float, end: float) -> Lag:
    """The lag of the motion peaks within start..end; times in seconds, ascending."""
    onsets, peaks = np.asarray(audio, float), np.asarray(video, float)
    peaks = peaks[(peaks >= start) & (peaks < end)]
    reach = MAX_LAG_MS / 1000
    near = onsets[(onsets >= start - reach) & (onsets < end + reach)]
    inside = int(((onsets >= start) & (onsets < end)).sum())
    if min(len(peaks), inside) < MIN_PAIRS:
        few = f"{inside} onsets and {len(peaks)} motion peaks; {MIN_PAIRS} of each are needed"
        return Lag(start, end, None, None, None, 0, 0.0, 1.0, reason=few)
    distances = _distances(near, peaks)
    places = np.round((distances + reach) / _STEP).astype(int)
    counts = np.bincount(places, minlength=len(_LAGS)).astype(float)
    strengths = _density(counts[None])[0] / np.sqrt(len(peaks) * inside)
    candidates = np.flatnonzero(strengths >= EQUAL * strengths.max())
    best = candidates[np.abs(_LAGS[candidates]).argmin()]
    strength, chance = float(min(1.0, strengths[best])), _chance(len(peaks), inside, round(end - start, 1))
    own = _own(distances, float(_LAGS[best]))
    if strength <= chance or len(own) < MIN_PAIRS:
        no_lag = "no lag stands out from chance"
        return Lag(start, end, None, None, None, len(own), strength, chance, reason=no_lag)
    middle = 1000 * float(own.mean())
    half = 1000 * _Z * float(own.std(ddof=1) / np.sqrt(len(own)))
    others = _others(strengths, middle / 1000)
    return Lag(start, end, middle, middle - half, middle + half, len(own), strength, chance, others)


def lag_pairs(audio: Sequence[float], video: Sequence[float], lag: Lag) -> list[tuple[float, float]]:
    """(time of the motion peak, its distance to its onset), in seconds, of a stretch that has a lag."""
    if lag.ms is None:
        return []
    found = []
    onsets = np.asarray(audio, float)
    for peak in video:
        if lag.start <= peak < lag.end:
            distance = peak - onsets
            nearest = float(distance[np.abs(distance - lag.ms / 1000).argmin()])
            if abs(nearest - lag.ms / 1000) <= NEAR:
                found.append((peak, nearest))
    return found


_LAGS: Floats = np.arange(-MAX_LAG_MS / 1000, MAX_LAG_MS / 1000 + _STEP / 2, _STEP)
_KERNEL: Floats = np.exp(
    -0.5 * (np.arange(-round(NEAR / _STEP), round(NEAR / _STEP) + 1) * _STEP / SPREAD) ** 2
)


def _distances(onsets: Floats, peaks: Floats) -> Floats:
    """All distances of at most the longest lag, motion peak minus onset."""
    every = (peaks[:, None] - onsets[None, :]).ravel()
    return every[np.abs(every) <= MAX_LAG_MS / 1000]


def _density(rows: Floats) -> Floats:
    """Numbers of distances at every lag, rows [S, L] -> their density [S, L]."""
    from scipy.ndimage import convolve1d

    found: Floats = convolve1d(rows, _KERNEL, axis=1, mode="constant")
    return found


def _others(strengths: Floats, lag: float) -> tuple[float, ...]:
    """Other lags whose density is nearly the highest, in ms."""
    from scipy.signal import find_peaks

    peaks, _ = find_peaks(np.pad(strengths, 1), height=RIVAL * strengths.max())
    return tuple(round(1000 * float(_LAGS[i - 1])) for i in peaks if abs(_LAGS[i - 1] - lag) > NEAR)


def _own(distances: Floats, lag: float) -> Floats:
    """The distances that gather at a lag, which is moved to their mean."""
    for _ in range(3):
        own = distances[np.abs(distances - lag) <= NEAR]
        lag = float(own.mean()) if len(own) else lag
    return own


@lru_cache(maxsize=4096)
def _chance(peaks: int, onsets: int, seconds: float) -> float:
    """What the strength of so many unrelated onsets and motion peaks in so long a stretch stays below: their
    distances are a Poisson process.
    """
    rng = np.random.default_rng([peaks, onsets])
    every_lag = peaks * onsets * _STEP / max(seconds, _STEP)
    rows = rng.poisson(every_lag, (SURROGATES, len(_LAGS))).astype(float)
    return float(np.percentile(_density(rows).max(axis=1) / np.sqrt(peaks * onsets), CONFIDENT))
