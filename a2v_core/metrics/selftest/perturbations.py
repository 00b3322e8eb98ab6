"""What is done to the sound of a clip that its own sound should then beat.

Everything acts on the onsets that were found: nothing is decoded or detected a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..alignment import HeardSound

Times = np.ndarray[Any, np.dtype[np.float64]]

OFFSETS_MS = (50, 100, 200, 300, 500)
JITTER_SECONDS = 0.1  # standard deviation
SPEEDS = (0.9, 1.1)
DROPPED = 0.5  # share of the onsets
MOVED = "moved"


@dataclass(frozen=True)
class Perturbation:
    """make: from the sound of a clip, that of another clip and a generator to one or more wrong sounds.

    offset_ms: how far the sound is moved, where that is what is done.
    """

    name: str
    make: Callable[[HeardSound, HeardSound, np.random.Generator], list[HeardSound]]
    offset_ms: int | None = None


def moved(sound: HeardSound, seconds: float) -> HeardSound:
    """Later by `seconds`, circularly: what leaves at one end comes in at the other, so that the number of
    onsets stays.
    """
    return _changed(sound, lambda times: (times + seconds) % sound.seconds)


def played_at(sound: HeardSound, speed: float) -> HeardSound:
    """Faster by a factor; it ends earlier or later."""
    return _changed(sound, lambda times: times / speed, sound.seconds / speed)


def jittered(sound: HeardSound, rng: np.random.Generator) -> HeardSound:
    """Every onset moved by a distance of its own."""
    distances = rng.normal(0, JITTER_SECONDS, len(sound.times))
    last = np.nextafter(sound.seconds, 0)
    return _changed(sound, lambda times: np.clip(times + distances[_nearest(sound, times)], 0, last))


def thinned(sound: HeardSound, rng: np.random.Generator) -> HeardSound:
    """Without some of the onsets: at least one, and not all where there are several."""
    count = len(sound.times)
    out = rng.permutation(count)[: max(1, round(DROPPED * count))]
    kept = np.ones(count, bool)
    kept[out] = False
    return _changed(sound, lambda times: times[kept[_nearest(sound, times)]])


def perturbations() -> tuple[Perturbation, ...]:
    """Those of the self-test, in the order of its table."""
    return (
        *(_offset(milliseconds) for milliseconds in OFFSETS_MS),
        Perturbation("onsets jittered", lambda own, other, rng: [jittered(own, rng)]),
        Perturbation("speed 0.9, 1.1", lambda own, other, rng: [played_at(own, speed) for speed in SPEEDS]),
        Perturbation("half of the onsets gone", lambda own, other, rng: [thinned(own, rng)]),
        Perturbation("another clip's sound", lambda own, other, rng: [other]),
    )


def _offset(milliseconds: int) -> Perturbation:
    both = (-milliseconds / 1000, milliseconds / 1000)
    return Perturbation(
        f"{MOVED} {milliseconds} ms", lambda own, other, rng: [moved(own, by) for by in both], milliseconds
    )


def _changed(sound: HeardSound, change: Callable[[Times], Times], seconds: float | None = None) -> HeardSound:
    """A sound whose onsets of both kinds are changed alike, if there are any."""

    def times(found: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(map(float, np.sort(change(np.asarray(found, float))))) if sound.times else found

    onsets = replace(sound.onsets, times=times(sound.onsets.times))
    return HeardSound(onsets, times(sound.times), sound.seconds if seconds is None else seconds)


def _nearest(sound: HeardSound, times: Times) -> Times:
    """Index of the exact onset that is nearest to each time: the published ones follow theirs."""
    exact = np.asarray(sound.times, float)
    return np.abs(times[:, None] - exact[None, :]).argmin(axis=1)
