"""The scores that the self-test tries, each from the motion and the sound of a clip."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..alignment import VARIANTS, HeardSound, Motion, score_peaks, trusted_score

Measure = Callable[[Motion, HeardSound], float | None]


def _published(name: str) -> Measure:
    return lambda motion, sound: score_peaks(motion, sound.onsets, sound.seconds, name).score


def _corrected(motion: Motion, sound: HeardSound) -> float | None:
    return score_peaks(motion, sound.onsets, sound.seconds).corrected


MEASURES: Mapping[str, Measure] = {
    **{name: _published(name) for name in VARIANTS},
    "reference, corrected": _corrected,
    "trusted": lambda motion, sound: trusted_score(motion, sound).score,
    "trusted, corrected": lambda motion, sound: trusted_score(motion, sound).corrected,
}
"""By name; None where the score is undefined."""
