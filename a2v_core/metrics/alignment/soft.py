"""Matches that count less the further apart they are: the rule of the trusted score.

An onset and a motion peak match when each is the other's nearest. A match at a distance d counts
1 - (d / tolerance)^3, and nothing from the tolerance on. So the score falls with every millisecond, slowly at
first, while a rule that only asks whether two peaks are near is flat within its tolerance. On average over
all distances it is a window of three quarters of the tolerance.

Legend: A V number of audio and video peaks, S shifts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .matching import Array, Pairs, Score

POWER = 3
SHIFT_SECONDS = 0.005  # between the shifts that the chance level is measured at


class SoftRule:
    """Intersection over union of the peaks, where the intersection is the sum of what the matches count."""

    def __call__(self, audio: Sequence[float], video: Sequence[float], tolerance: float) -> Score:
        """See `Variant`."""
        if not audio and not video:
            return Score(None, ())
        rows, peaks = np.asarray([audio], float), np.asarray(video, float)
        counted, nearest = match_weights(rows, peaks, tolerance)
        pairs: Pairs = tuple((int(i), int(nearest[0, i])) for i in np.flatnonzero(counted[0]))
        return Score(float(_union(counted, len(video))[0]), pairs)

    def scores(self, rows: Array, video: Array, tolerance: float) -> Array:
        """The score [S] for every row of audio peaks [S, A], ascending, against video peaks [V]."""
        return _union(match_weights(rows, video, tolerance)[0], len(video))

    def edges(self, audio: Array, video: Array, tolerance: float, period: float, most: int) -> Array:
        """Borders of evenly spaced shifts in 0..period, at most `most` of them."""
        count = min(most, max(1, int(np.ceil(period / SHIFT_SECONDS))))
        return np.linspace(0, period, count + 1)


def match_weights(rows: Array, video: Array, tolerance: float) -> tuple[Array, Array]:
    """What every audio peak of rows [S, A] counts against video peaks [V], [S, A] in 0..1, and its nearest
    video peak [S, A]. Both ascend.
    """
    if not video.size or not rows.size:
        return np.zeros(rows.shape), np.zeros(rows.shape, int)
    after = np.searchsorted(video, rows)
    before = np.maximum(after - 1, 0)
    after = np.minimum(after, len(video) - 1)
    nearest = np.where(rows - video[before] <= video[after] - rows, before, after)
    nearest = np.where(rows < video[before], before, np.where(rows > video[after], after, nearest))
    distance = np.abs(rows - video[nearest])
    mutual = np.ones(rows.shape, bool)
    # The other audio peak that may be nearer to this video peak is a neighbour, since both lists ascend.
    mutual[:, 1:] &= distance[:, 1:] < np.abs(rows[:, :-1] - video[nearest[:, 1:]])
    mutual[:, :-1] &= distance[:, :-1] <= np.abs(rows[:, 1:] - video[nearest[:, :-1]])
    return np.where(mutual, np.clip(1 - (distance / tolerance) ** POWER, 0, None), 0.0), nearest


def _union(weights: Array, video: int) -> Any:
    matched = weights.sum(axis=1)
    return matched / (weights.shape[1] + video - matched)


soft = SoftRule()
