"""From two lists of peak times to a score: the named variants of AV-Align.

All times and tolerances in seconds; two peaks match when less than the tolerance apart. `VARIANTS` holds the
variants by name. Each has its formula once, in terms of `Counts`: numbers of one clip, or arrays over many
shifts of its sound (`chance.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import A2VError

Array = np.ndarray[Any, np.dtype[Any]]
Pairs = tuple[tuple[int, int], ...]

MAX_EXACT_WORK = 10_000_000  # onsets times shifts; about a second. A clip of a minute stays below.


@dataclass(frozen=True)
class Score:
    """value: None where the formula divides by zero; matches: index pairs (audio peak, video peak)."""

    value: float | None
    matches: Pairs


@dataclass(frozen=True)
class Counts:
    """Numbers of audio and video peaks, and how many of them match a peak of the other modality.

    audio, video              number of peaks
    pairs                     one-to-one matches, as published in Feb 2025
    audio_hits, video_hits    peaks with any peak of the other modality within the tolerance
    """

    audio: int
    video: int
    pairs: Any
    audio_hits: Any
    video_hits: Any


@dataclass(frozen=True)
class Variant:
    """A named formula. Called with ascending audio peaks, ascending video peaks and a tolerance: a Score."""

    name: str
    formula: Callable[[Counts], Any]
    match: Callable[[Sequence[float], Sequence[float], float], Pairs]

    def __call__(self, audio: Sequence[float], video: Sequence[float], tolerance: float) -> Score:
        if not audio and not video:
            return Score(None, ())
        counts = count_matches(np.asarray([audio], float), np.asarray(video, float), tolerance)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = float(np.asarray(self.formula(counts))[0])
        return Score(value if np.isfinite(value) else None, self.match(audio, video, tolerance))

    def scores(self, rows: Array, video: Array, tolerance: float) -> Array:
        """The score [S] for every row of audio peaks [S, A], ascending, against video peaks [V]; 0 where the
        formula divides by zero.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.asarray(self.formula(count_matches(rows, video, tolerance)), float)
        return np.where(np.isfinite(value), value, 0.0)

    def edges(self, audio: Array, video: Array, tolerance: float, period: float, most: int) -> Array:
        """The shifts in 0..period at which an onset [A] enters or leaves the tolerance window of a motion
        peak [V] or wraps around; the score is the same between two of them. `most` evenly spaced ones when
        there are too many.
        """
        steps = len(audio) * (2 * len(video) + 1)
        if steps * len(audio) > MAX_EXACT_WORK:
            return np.linspace(0, period, most + 1)
        borders = np.concatenate([[0.0], video - tolerance, video + tolerance])
        inner = ((borders[None, :] - audio[:, None]) % period).ravel()
        return np.unique(np.concatenate([[0.0, period], inner[inner < period]]))


def match_one_to_one(audio: Sequence[float], video: Sequence[float], tolerance: float) -> Pairs:
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


def match_many_to_one(audio: Sequence[float], video: Sequence[float], tolerance: float) -> Pairs:
    """Each audio peak takes the first video peak within `tolerance`, used or not, as the 2023 code does."""
    pairs = []
    first = 0
    for i, time in enumerate(audio):
        while first < len(video) and not time < video[first] + tolerance:
            first += 1
        if first < len(video) and video[first] - tolerance < time:
            pairs.append((i, first))
    return tuple(pairs)


def count_matches(audio: Array, video: Array, tolerance: float) -> Counts:
    """Counts for every row of audio peaks [S, A] (ascending in each row) against video peaks [V].

    The counts are integers [S].
    """
    shifts, peaks = audio.shape
    # Adding to the video side, as published: (v + tolerance) and (t - tolerance) round differently.
    opens, closes = video - tolerance, video + tolerance
    pairs, hits, covered = (np.zeros(shifts, int) for _ in range(3))
    free, counted = np.zeros(shifts, int), np.zeros(shifts, int)
    for i in range(peaks):
        times = audio[:, i]
        first = np.searchsorted(closes, times, side="right")  # the first window still open
        last = np.searchsorted(opens, times, side="left")  # the first one not yet open
        hits += last > first
        covered += np.maximum(0, last - np.maximum(first, counted))
        counted = np.maximum(counted, last)
        free = np.maximum(free, first)
        taken = free < last
        pairs += taken
        free += taken
    return Counts(peaks, len(video), pairs, hits, covered)


def _reference(counts: Counts) -> Any:
    return counts.pairs / (counts.audio + counts.video - counts.pairs)


def _legacy(counts: Counts) -> Any:
    return counts.audio_hits / np.asarray(counts.audio + counts.video - counts.audio_hits)


def _paper(counts: Counts) -> Any:
    matched = (counts.audio_hits + counts.video_hits) / 2
    return matched / (counts.audio + counts.video - matched)


# Intersection over union of one-to-one matches, 0..1. Source: the published av_align.py of Feb 2025.
reference = Variant("reference", _reference, match_one_to_one)
# The same formula with many-to-one matches: up to |A| / |V|, so three onsets round one motion peak give 3.
# Source: av_align.py of Oct 2023, which other evaluation code still carries.
legacy = Variant("legacy", _legacy, match_many_to_one)
# Equation 9 of arXiv 2309.16429: both directions are counted, so it is symmetric, and within 0..1. The union,
# which the paper leaves open, is |A| + |V| less the mean of the two sums. Its window of three frames is the
# frame itself and one to either side.
paper = Variant("paper", _paper, match_one_to_one)

VARIANTS: dict[str, Variant] = {variant.name: variant for variant in (reference, legacy, paper)}


def variant_named(name: str) -> Variant:
    """The variant of that name; A2VError lists the names."""
    if name not in VARIANTS:
        raise A2VError(f"AV-Align has no variant {name!r}. Choose one of: {', '.join(VARIANTS)}.")
    return VARIANTS[name]


def checked_tolerance(tolerance_ms: float) -> float:
    """The tolerance itself; A2VError unless it is finite and above 0."""
    if not (math.isfinite(tolerance_ms) and tolerance_ms > 0):
        raise A2VError(f"The tolerance is {tolerance_ms} ms: expected a number above 0, such as 100.")
    return tolerance_ms
