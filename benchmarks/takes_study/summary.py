"""What the picks of so many takes gain, over many clips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from a2v_core.metrics.takes import Pick, TakeScore, pick_best

Record = dict[str, Any]


class _Picked(NamedTuple):
    """A pick among some takes, and the takes."""

    pick: Pick
    best: Record
    takes: Sequence[Record]


def summarise(clips: Sequence[Sequence[Record]], number: int) -> Record:
    """The means over all groups of `number` takes of all clips in which a take has a score.

    f1, object, reference         of the picked take; reference did not pick
    f1_mean, object_mean, reference_mean   of a take that nobody picked
    f1_oracle, object_oracle      of the take with the highest F1, and the share in which any take is right
    gain_share                    of what the oracle gains in F1 over the mean; None where it gains nothing
    picked_score, mean_score, equal_score  the number that picked, see `takes.Pick`
    ties                          share of the groups in which the best is a tie
    """
    groups = [
        takes[start : start + number]
        for takes in clips
        for start in range(0, len(takes) - number + 1, number)
    ]
    picks = [found for found in map(_picked, groups) if found is not None]
    f1, mean, oracle = (
        float(np.mean([value(found) for found in picks]))
        for value in (
            lambda found: found.best["f1"],
            lambda found: np.mean([take["f1"] for take in found.takes]),
            lambda found: max(take["f1"] for take in found.takes),
        )
    )
    return {
        "takes": number,
        "groups": len(groups),
        "picked": len(picks),
        "f1": f1,
        "f1_mean": mean,
        "f1_oracle": oracle,
        "gain_share": (f1 - mean) / (oracle - mean) if oracle - mean > 1e-9 else None,
        "object": _mean([found.best["object"] for found in picks]),
        "object_mean": _mean([take["object"] for found in picks for take in found.takes]),
        "object_oracle": _mean([_any_right(found.takes) for found in picks]),
        "reference": _mean([found.best["reference"] for found in picks]),
        "reference_mean": _mean([take["reference"] for found in picks for take in found.takes]),
        "picked_score": _mean([found.pick.picked_score for found in picks]),
        "mean_score": _mean([found.pick.mean_score for found in picks]),
        "equal_score": _mean([found.pick.equal_score for found in picks]),
        "ties": _mean([bool(found.pick.ties) for found in picks]),
    }


def _picked(takes: Sequence[Record]) -> _Picked | None:
    named = {str(number): TakeScore(**take["take"]) for number, take in enumerate(takes)}
    pick = pick_best(named)
    return None if pick.best is None else _Picked(pick, takes[int(pick.best)], takes)


def _any_right(takes: Sequence[Record]) -> bool | None:
    return None if takes[0]["object"] is None else any(take["object"] for take in takes)


def _mean(values: Sequence[float | bool | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return float(np.mean(known)) if known else None
