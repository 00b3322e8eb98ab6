"""What AV-Align gives to unrelated sound: the same onsets, shifted in time against the picture.

At 12 fps and a few onsets a second, chance alone scores about 0.27, so a score says little without this
number.

Legend: A V number of audio and video peaks, S shifts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .matching import Variant, count_matches

Array = np.ndarray[Any, np.dtype[np.float64]]

MAX_WORK = 10_000_000  # onsets times shifts; about a second. A clip of a minute stays below.
SAMPLED_SHIFTS = 4096
_AT_ONCE = 1_000_000
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Chance:
    """Over all circular shifts of the sound: the mean score, and the share of shifts that score at least as
    much as the sound where it is. exact: every step of the score was looked at; otherwise 4096 even shifts.
    """

    mean: float
    p_value: float
    exact: bool


def chance_level(
    audio: Sequence[float],
    video: Sequence[float],
    tolerance: float,
    start: float,
    period: float,
    variant: Variant,
) -> Chance | None:
    """Chance level and p-value of a clip; None where the score itself is undefined.

    audio, video   peak times in seconds, ascending; `tolerance` in seconds
    start, period  the onsets go round the time start .. start + period; the motion peaks stay

    The score is a step function of the shift, so the sum over its steps is exact. Very long clips have too
    many steps: there the shifts are 4096 evenly spaced ones.
    """
    found = variant(audio, video, tolerance).value
    if found is None:
        return None
    onsets = np.asarray(audio, float) - start
    windows = np.asarray(video, float) - start
    edges, exact = _edges(onsets, windows, tolerance, period)
    weights = np.diff(edges) / period
    scores = _scores((edges[:-1] + edges[1:]) / 2, onsets, windows, tolerance, period, variant)
    mean = float(weights @ scores)
    better = float(weights @ (scores >= found - _ROUNDING))
    # Where the sound is, is one of the shifts: the share cannot be nothing, also if rounding says so.
    return Chance(mean, min(1.0, max(better, float(weights.min()))), exact)


def _edges(audio: Array, video: Array, tolerance: float, period: float) -> tuple[Array, bool]:
    """The shifts in 0..period at which an onset enters or leaves a tolerance window or passes the end."""
    steps = len(audio) * (2 * len(video) + 1)
    if steps * len(audio) > MAX_WORK:
        return np.linspace(0, period, SAMPLED_SHIFTS + 1), False
    borders = np.concatenate([[0.0], video - tolerance, video + tolerance])
    inner = ((borders[None, :] - audio[:, None]) % period).ravel()
    edges = np.unique(np.concatenate([[0.0, period], inner[inner < period]]))
    return edges, True


def _scores(
    shifts: Array, audio: Array, video: Array, tolerance: float, period: float, variant: Variant
) -> Array:
    """The score at every shift [S]; 0 where the formula divides by zero."""
    scores = np.zeros(len(shifts))
    rows = max(1, _AT_ONCE // max(1, len(audio)))
    for begin in range(0, len(shifts), rows):
        part = slice(begin, begin + rows)
        turned = np.sort((audio[None, :] + shifts[part, None]) % period, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.asarray(variant.formula(count_matches(turned, video, tolerance)), float)
        scores[part] = np.where(np.isfinite(value), value, 0.0)
    return scores
