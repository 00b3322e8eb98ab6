"""Bootstrap statistics of a set of clips: mean with 95 % interval, and paired difference of two sets.

Legend: n clips, R resamples.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

RESAMPLES = 10_000
LEVEL = 0.95
_SEED = 0
_CHUNK = 4_000_000  # resamples times clips in memory at once

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class SetScore:
    """Mean over the clips that have a score.

    mean          None when no clip has one
    low, high     bootstrap 95 % interval of the mean; None with fewer than two clips
    count         clips that have a score
    undefined     reason -> number of clips that have none; they are counted here, not averaged as 0
    """

    mean: float | None
    low: float | None
    high: float | None
    count: int
    undefined: Mapping[str, int]


@dataclass(frozen=True)
class PairedScore:
    """The difference B - A over the clips that both sets score.

    difference, low, high    mean and bootstrap 95 % interval; None without pairs, the interval with fewer
                             than 2
    p_value                  two-sided: twice the share of resampled means on the other side of 0
    count                    pairs
    """

    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None
    count: int


def set_score(scores: Iterable[tuple[float | None, str]]) -> SetScore:
    """The mean of (score, reason) pairs; a score of None is counted under its reason.

    Order does not matter.
    """
    values, reasons = [], Counter[str]()
    for score, reason in scores:
        if score is None or not math.isfinite(score):
            reasons[reason or "undefined"] += 1
        else:
            values.append(score)
    ordered = np.sort(np.asarray(values, float))
    low, high = _interval(_resampled_means(ordered)) if len(ordered) > 1 else (None, None)
    mean = math.fsum(ordered) / len(ordered) if len(ordered) else None
    return SetScore(mean, low, high, len(ordered), dict(sorted(reasons.items())))


def paired_difference(first: Sequence[float | None], second: Sequence[float | None]) -> PairedScore:
    """Paired bootstrap of `second` - `first`; pairs where either is None do not count.

    Order does not matter.
    """
    pairs = zip(first, second, strict=True)
    differences = np.sort(np.array([b - a for a, b in pairs if a is not None and b is not None], float))
    if len(differences) == 0:
        return PairedScore(None, None, None, None, 0)
    mean = math.fsum(differences) / len(differences)
    if len(differences) == 1:
        return PairedScore(mean, None, None, None, 1)
    means = _resampled_means(differences)
    low, high = _interval(means)
    tail = min((1 + np.count_nonzero(means <= 0)), (1 + np.count_nonzero(means >= 0))) / (1 + len(means))
    return PairedScore(mean, low, high, min(1.0, 2 * float(tail)), len(differences))


def _resampled_means(values: Array) -> Array:
    """Means of R resamples with replacement, the same for the same values."""
    rng = np.random.default_rng(_SEED)
    rows = max(1, _CHUNK // len(values))
    means = []
    for start in range(0, RESAMPLES, rows):
        picks = rng.integers(0, len(values), (min(rows, RESAMPLES - start), len(values)))
        means.append(values[picks].mean(axis=1))
    return np.concatenate(means)


def _interval(means: Array) -> tuple[float, float]:
    low, high = np.percentile(means, [50 * (1 - LEVEL), 100 - 50 * (1 - LEVEL)])
    return float(low), float(high)
