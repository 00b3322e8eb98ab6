"""Sustained sounds: the probability of every class over time, and stretches in which one is heard.

Windows of a second follow one another every half second, each encoded alone; a moment's probability is the
mean of the windows that hold it. Starts and ends are as exact as that: to about a quarter of a second.

Legend: K classes, W windows, S steps of half a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...audio import BEATs
from ..analysis import Curve, Sound, Unit
from .classes import FRAME_SECONDS, STEP_SECONDS, Progress, class_probabilities
from .windows import Span

Floats = np.ndarray[Any, np.dtype[np.float32]]

HOP_SECONDS = 3 * STEP_SECONDS
WINDOW_SECONDS = 2 * HOP_SECONDS + FRAME_SECONDS
SUSTAINED_LEAST = 0.5  # probability from which a class counts as heard


@dataclass(frozen=True)
class Segment:
    """A class that is heard from `start` to `end` (seconds); its mean probability meanwhile."""

    start: float
    end: float
    label: str
    probability: float


def class_curves(beats: BEATs, sound: Sound, duration: float, progress: Progress | None = None) -> Floats:
    """Probability of every class per step of `HOP_SECONDS`: float32 [S, K]; 0 columns without a head.

    duration  of the sound in seconds
    """
    steps = max(1, int(np.ceil(duration / HOP_SECONDS)))
    # Window w holds the steps w - 1 and w: the first and the last reach beyond the sound by one step.
    spans = [
        Span((number - 1) * HOP_SECONDS, (number - 1) * HOP_SECONDS + WINDOW_SECONDS)
        for number in range(steps + 1)
    ]
    inside = class_probabilities(beats, sound, spans[1:-1] or spans[1:], progress)
    padded = np.concatenate([inside[:1], inside, inside[-1:]])[: steps + 1]
    return np.asarray((padded[:-1] + padded[1:]) / 2, np.float32)


def class_curve(probabilities: Floats, number: int) -> Curve:
    """The probability of class `number` as a curve for schedules."""
    return Curve(probabilities[:, number].copy(), HOP_SECONDS, Unit.SHARE)


def sound_segments(
    probabilities: Floats, names: tuple[str, ...], duration: float, least: float = SUSTAINED_LEAST
) -> tuple[Segment, ...]:
    """Stretches in which a class has a probability of `least` or more, in order of their starts."""
    segments = []
    for name, column in zip(names, probabilities.T, strict=True):
        heard = np.concatenate([[False], column >= least, [False]])
        for first, last in np.flatnonzero(heard[1:] != heard[:-1]).reshape(-1, 2):
            start, end = first * HOP_SECONDS, min(duration, last * HOP_SECONDS)
            segments.append(Segment(float(start), float(end), name, float(column[first:last].mean())))
    return tuple(sorted(segments, key=lambda segment: (segment.start, -segment.probability)))
