"""Pairwise trials: does a score put the clip with its own sound above the clip with a wrong one?

The protocol of AV-SyncBench (arXiv 2607.00726): a tie is wrong, and so is a score that is undefined.

Legend: n trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..alignment import HeardSound, Motion
from .measures import MEASURES, Measure
from .perturbations import Perturbation, perturbations

TOLD = 0.95  # accuracy from which on an offset counts as told


class DetectedClip(NamedTuple):
    """Motion and sound of a clip, found once."""

    name: str
    motion: Motion
    sound: HeardSound


@dataclass(frozen=True)
class Trials:
    """How a score did against one perturbation.

    right, ties, undefined, count  trials that were won; lost by a tie; lost because a score is undefined; all
    auroc                          share of all pairs of an own and a wrong sound, of any two clips, in which
                                   the own one scores higher; ties and undefined count as wrong
    """

    right: int
    ties: int
    undefined: int
    count: int
    auroc: float

    @property
    def accuracy(self) -> float:
        return self.right / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return wilson(self.right, self.count)


Results = Mapping[str, Mapping[str, Trials]]
"""Measure -> perturbation -> trials."""


def wilson(right: int, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); 0 to 1 for no trials."""
    if count == 0:
        return 0.0, 1.0
    from scipy.stats import binomtest

    found = binomtest(right, count).proportion_ci(0.95, "wilson")
    return float(found.low), float(found.high)


def run_trials(clips: Sequence[DetectedClip], seed: int = 0) -> Results:
    """Every score against every perturbation of every clip. With one clip there is no other clip's sound."""
    tasks = [task for task in perturbations() if len(clips) > 1 or task.name != perturbations()[-1].name]
    wrong = {task.name: _wrong_sounds(clips, task, seed) for task in tasks}
    return {name: _of_measure(clips, wrong, measure) for name, measure in MEASURES.items()}


def shortest_told(results: Mapping[str, Trials]) -> int | None:
    """The shortest offset in ms from which on all offsets are told in 95 % of the trials, or None."""
    told: int | None = None
    for task in reversed([task for task in perturbations() if task.offset_ms is not None]):
        if results[task.name].accuracy < TOLD:
            break
        told = task.offset_ms
    return told


def _wrong_sounds(clips: Sequence[DetectedClip], task: Perturbation, seed: int) -> list[list[HeardSound]]:
    found = []
    for number, clip in enumerate(clips):
        other = clips[(number + 1) % len(clips)].sound
        found.append(task.make(clip.sound, other, np.random.default_rng([seed, number])))
    return found


def _of_measure(
    clips: Sequence[DetectedClip], wrong: Mapping[str, list[list[HeardSound]]], measure: Measure
) -> dict[str, Trials]:
    own = [measure(clip.motion, clip.sound) for clip in clips]
    found = {}
    for name, sounds in wrong.items():
        scores = [
            [measure(clip.motion, sound) for sound in several]
            for clip, several in zip(clips, sounds, strict=True)
        ]
        pairs = [(a, b) for a, several in zip(own, scores, strict=True) for b in several]
        found[name] = _count(pairs, own, [b for several in scores for b in several])
    return found


def _count(
    pairs: Sequence[tuple[float | None, float | None]],
    own: Sequence[float | None],
    wrong: Sequence[float | None],
) -> Trials:
    defined = [(a, b) for a, b in pairs if a is not None and b is not None]
    above = sum(
        a > b for a in own if a is not None for b in wrong if b is not None
    )  # undefined ones are in the number of pairs alone
    return Trials(
        right=sum(a > b for a, b in defined),
        ties=sum(a == b for a, b in defined),
        undefined=len(pairs) - len(defined),
        count=len(pairs),
        auroc=above / (len(own) * len(wrong)),
    )
