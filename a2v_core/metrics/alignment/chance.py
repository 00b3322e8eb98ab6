"""Chance level of AV-Align: the score of the same onsets, shifted circularly in time against the picture.

At 12 fps and a few onsets a second the chance level is about 0.27, so a score means little without it.

Legend: A V number of audio and video peaks, S shifts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .matching import Variant, count_matches

Array = np.ndarray[Any, np.dtype[np.float64]]

MAX_EXACT_WORK = 10_000_000  # onsets times shifts; about a second. A clip of a minute stays below.
SAMPLED_SHIFTS = 4096
_CHUNK = 1_000_000  # onsets times shifts in memory at once
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Chance:
    """Mean score over all circular shifts of the sound, and the share of shifts that score at least as much
    as the unshifted sound.
    """

    mean: float
    p_value: float


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
    start, period  onsets are shifted circularly within start .. start + period; motion peaks stay

    The score is a step function of the shift, so the sum over its steps is exact. Very long clips have too
    many steps: there the shifts are 4096 evenly spaced ones.
    """
    score = variant(audio, video, tolerance).value
    if score is None:
        return None
    onsets = np.asarray(audio, float) - start
    windows = np.asarray(video, float) - start
    edges = _edges(onsets, windows, tolerance, period)
    weights = np.diff(edges) / period
    scores = _scores((edges[:-1] + edges[1:]) / 2, onsets, windows, tolerance, period, variant)
    mean = float(weights @ scores)
    p_value = float(weights @ (scores >= score - _ROUNDING))
    # The unshifted sound is one of the shifts, so the p-value is above 0, whatever rounding does.
    return Chance(mean, min(1.0, max(p_value, float(weights.min()))))


def _edges(audio: Array, video: Array, tolerance: float, period: float) -> Array:
    """The shifts in 0..period at which an onset enters or leaves a tolerance window or wraps around.

    4096 evenly spaced ones when there are too many.
    """
    steps = len(audio) * (2 * len(video) + 1)
    if steps * len(audio) > MAX_EXACT_WORK:
        return np.linspace(0, period, SAMPLED_SHIFTS + 1)
    borders = np.concatenate([[0.0], video - tolerance, video + tolerance])
    inner = ((borders[None, :] - audio[:, None]) % period).ravel()
    return np.unique(np.concatenate([[0.0, period], inner[inner < period]]))


def _scores(
    shifts: Array, audio: Array, video: Array, tolerance: float, period: float, variant: Variant
) -> Array:
    """The score at every shift [S]; 0 where the formula divides by zero."""
    scores = np.zeros(len(shifts))
    rows = max(1, _CHUNK // max(1, len(audio)))
    for begin in range(0, len(shifts), rows):
        part = slice(begin, begin + rows)
        shifted = np.sort((audio[None, :] + shifts[part, None]) % period, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.asarray(variant.formula(count_matches(shifted, video, tolerance)), float)
        scores[part] = np.where(np.isfinite(value), value, 0.0)
    return scores
