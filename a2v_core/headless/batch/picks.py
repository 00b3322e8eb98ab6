"""The best of several takes, and whether it is clearly better.

A picked score is the largest of several: it lies above what a take of that kind scores, even where all takes
are equal. So it always stands beside the mean over the takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .scores import Scores

RESAMPLES = 4000
LEVEL = 0.05
_SEED = 0


@dataclass(frozen=True)
class Pick:
    """What became of the takes of one sound.

    best          id of the take with the highest corrected score, the first of equals; None if none has one
    picked_score  its score, a picked one
    mean_score    mean of all takes that have a score
    ties          takes that the best is not clearly better than
    scored        number of takes that have a score
    undefined     why the others have none -> how many
    """

    group: str
    best: str | None
    picked_score: float | None
    mean_score: float | None
    ties: tuple[str, ...]
    scored: int
    undefined: Mapping[str, int]


def pick_best(group: str, takes: Mapping[str, Scores]) -> Pick:
    """The pick among takes by id. A take ties with the best if it is at least as good in more than 5 % of
    bootstrap resamples, which draw the events of both clips anew, each matched or not."""
    values = {take: scores.corrected for take, scores in takes.items() if scores.corrected is not None}
    undefined = Counter(scores.reason for take, scores in takes.items() if take not in values)
    if not values:
        return Pick(group, None, None, None, (), 0, dict(undefined))
    best = max(values, key=lambda take: values[take])
    ties = tuple(
        take for take in values if take != best and _share_at_least(takes[take], takes[best]) > LEVEL
    )
    mean = sum(values.values()) / len(values)
    return Pick(group, best, values[best], mean, ties, len(values), dict(undefined))


def _share_at_least(other: Scores, best: Scores) -> float:
    """Share of resamples in which `other` scores at least what `best` does."""
    rng = np.random.default_rng(_SEED)
    return float(np.mean(_resampled(other, rng) >= _resampled(best, rng)))


def _resampled(scores: Scores, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Corrected scores [R]: the score is the share of events that match, so their number is binomial."""
    assert scores.trusted is not None
    assert scores.chance is not None
    events = max(1, scores.events)
    drawn = rng.binomial(events, min(1.0, max(0.0, scores.trusted)), RESAMPLES) / events
    return (drawn - scores.chance) / (1 - scores.chance)
