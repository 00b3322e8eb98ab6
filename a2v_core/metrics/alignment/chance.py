"""Chance level of AV-Align: the score of the same onsets, shifted circularly in time against the picture.

At 12 fps and a few onsets a second the chance level is about 0.27, so a score means little without it.

Legend: A V number of audio and video peaks, S shifts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .matching import Score

Array = np.ndarray[Any, np.dtype[np.float64]]

SAMPLED_SHIFTS = 4096
_CHUNK = 1_000_000  # onsets times shifts in memory at once
_ROUNDING = 1e-9


class Rule(Protocol):
    """What makes a score of two lists of peaks; see `Variant`."""

    def __call__(self, audio: Sequence[float], video: Sequence[float], tolerance: float) -> Score: ...

    def scores(self, rows: Array, video: Array, tolerance: float) -> Array: ...

    def edges(self, audio: Array, video: Array, tolerance: float, period: float, most: int) -> Array: ...


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
    rule: Rule,
) -> Chance | None:
    """Chance level and p-value of a clip; None where the score itself is undefined.

    audio, video   peak times in seconds, ascending; `tolerance` in seconds
    start, period  onsets are shifted circularly within start .. start + period; motion peaks stay

    The published scores are step functions of the shift, so the sum over the steps is exact. Very long clips
    have too many steps: there the shifts are 4096 evenly spaced ones. The trusted score has no steps: its
    shifts are 5 ms apart, at most 4096 of them.
    """
    score = rule(audio, video, tolerance).value
    if score is None:
        return None
    onsets = np.asarray(audio, float) - start
    windows = np.asarray(video, float) - start
    edges = rule.edges(onsets, windows, tolerance, period, SAMPLED_SHIFTS)
    weights = np.diff(edges) / period
    scores = _scores((edges[:-1] + edges[1:]) / 2, onsets, windows, tolerance, period, rule)
    mean = float(weights @ scores)
    p_value = float(weights @ (scores >= score - _ROUNDING))
    # The unshifted sound is one of the shifts, so the p-value is above 0, whatever rounding does.
    return Chance(mean, min(1.0, max(p_value, float(weights.min()))))


def _scores(shifts: Array, audio: Array, video: Array, tolerance: float, period: float, rule: Rule) -> Array:
    """The score at every shift [S]; 0 where it is undefined."""
    scores = np.zeros(len(shifts))
    rows = max(1, _CHUNK // max(1, len(audio)))
    for begin in range(0, len(shifts), rows):
        part = slice(begin, begin + rows)
        shifted = np.sort((audio[None, :] + shifts[part, None]) % period, axis=1)
        scores[part] = rule.scores(shifted, video, tolerance)
    return scores
