"""The best of several takes, and whether it is clearly better.

A picked score is the largest of several: it lies above what a take of that kind scores, even where all takes
are equal. So it always stands beside the mean over the takes, and beside what the best of as many equal takes
would score.

Legend: R resamples, N takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..alignment import AVAlignResult

RESAMPLES = 4000
LEVEL = 0.05
_SEED = 0

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class TakeScore:
    """Trusted AV-Align of a take.

    trusted    the score, `chance` its level, `corrected` (trusted - chance) / (1 - chance): what ranks;
               None where undefined, with the `reason`
    events     onsets and motion peaks, those that match counted once: how much the score rests on
    """

    trusted: float | None
    chance: float | None
    corrected: float | None
    p_value: float | None
    events: int
    reason: str


@dataclass(frozen=True)
class Pick:
    """What became of several takes of one sound.

    best          name of the take with the highest corrected score, the first of equals; None if none has one
    picked_score  its score, a picked one
    mean_score    mean of all takes that have a score: what a take scores that nobody picked
    equal_score   what the best of as many takes would score if all were as good as their mean
    ties          takes that the best is not clearly better than
    scored        number of takes that have a score
    undefined     why the others have none -> how many
    """

    best: str | None
    picked_score: float | None
    mean_score: float | None
    equal_score: float | None
    ties: tuple[str, ...]
    scored: int
    undefined: Mapping[str, int]


def take_score(result: AVAlignResult) -> TakeScore:
    """The score of a take from its trusted AV-Align."""
    reason = result.reason or ("" if result.corrected is not None else "undefined: chance alone scores 1")
    return TakeScore(
        trusted=result.score,
        chance=result.chance,
        corrected=result.corrected,
        p_value=result.p_value,
        events=len(result.audio_peaks) + len(result.video_peaks) - len(result.matches),
        reason=reason,
    )


def pick_best(takes: Mapping[str, TakeScore]) -> Pick:
    """The pick among takes by name.

    A take ties with the best if it is at least as good in more than 5 % of bootstrap resamples, which draw
    the events of both clips anew, each matched or not.
    """
    values = {name: take.corrected for name, take in takes.items() if take.corrected is not None}
    undefined = Counter(take.reason for name, take in takes.items() if name not in values)
    if not values:
        return Pick(None, None, None, None, (), 0, dict(undefined))
    best = max(values, key=lambda name: values[name])
    ties = tuple(
        name for name in values if name != best and _share_at_least(takes[name], takes[best]) > LEVEL
    )
    mean = sum(values.values()) / len(values)
    equal = _best_of_equals([takes[name] for name in values])
    return Pick(best, values[best], mean, equal, ties, len(values), dict(undefined))


def _share_at_least(other: TakeScore, best: TakeScore) -> float:
    """Share of resamples in which `other` scores at least what `best` does."""
    rng = np.random.default_rng(_SEED)
    return float(np.mean(_resampled(other, _known(other), rng) >= _resampled(best, _known(best), rng)))


def _best_of_equals(takes: list[TakeScore]) -> float:
    """Mean over resamples of the highest score, where every take has the mean of the scores."""
    rng = np.random.default_rng(_SEED)
    mean = float(np.mean([_known(take) for take in takes]))
    drawn = np.stack([_resampled(take, mean, rng) for take in takes])
    return float(drawn.max(axis=0).mean())


def _known(take: TakeScore) -> float:
    assert take.trusted is not None
    return take.trusted


def _resampled(take: TakeScore, trusted: float, rng: np.random.Generator) -> Floats:
    """Corrected scores [R]: the score is the share of events that match, so their number is binomial."""
    assert take.chance is not None
    events = max(1, take.events)
    drawn = rng.binomial(events, min(1.0, max(0.0, trusted)), RESAMPLES) / events
    corrected: Floats = (drawn - take.chance) / (1 - take.chance)
    return corrected
