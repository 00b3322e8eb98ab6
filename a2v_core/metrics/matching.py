"""From two lists of peak times to a score: the named variants of AV-Align.

All times and tolerances in seconds. A variant is a function of ascending audio peaks, ascending video peaks
and the tolerance; `VARIANTS` holds them by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import A2VError


@dataclass(frozen=True)
class Score:
    """value: None where the formula divides by zero; matches: index pairs (audio peak, video peak)."""

    value: float | None
    matches: tuple[tuple[int, int], ...]


Variant = Callable[[Sequence[float], Sequence[float], float], Score]


def match_one_to_one(
    audio: Sequence[float], video: Sequence[float], tolerance: float
) -> tuple[tuple[int, int], ...]:
    """Each audio peak, in order, takes the first unused video peak strictly within `tolerance`: index pairs.

    Both lists ascend, so one pass gives what the published double loop gives: a video peak too early for this
    audio peak is too early for all later ones.
    """
    pairs = []
    j = 0
    for i, time in enumerate(audio):
        while j < len(video) and not time < video[j] + tolerance:
            j += 1
        if j < len(video) and video[j] - tolerance < time:
            pairs.append((i, j))
            j += 1
    return tuple(pairs)


def reference(audio: Sequence[float], video: Sequence[float], tolerance: float) -> Score:
    """Intersection over union of one-to-one matches, 0..1. Source: published av_align.py (Feb 2025)."""
    matches = match_one_to_one(audio, video, tolerance)
    union = len(audio) + len(video) - len(matches)
    return Score(len(matches) / union if union else None, matches)


VARIANTS: dict[str, Variant] = {"reference": reference}


def variant_named(name: str) -> Variant:
    """The variant of that name; A2VError lists the names."""
    if name not in VARIANTS:
        raise A2VError(f"AV-Align has no variant {name!r}. Choose one of: {', '.join(VARIANTS)}.")
    return VARIANTS[name]
