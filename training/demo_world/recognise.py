"""Template matching on videos of the demo world: shape and colour of the object, and when it leaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from .world import COLOURS, SHAPES, SIDES, WALLS, Scene, render_heights

MIN_RISE = 0.3  # rise of the height within a frame


@dataclass(frozen=True)
class Recognition:
    """Recognised colour and shape of the object, and the frames in which it leaps."""

    colour: str
    shape: str
    leaps: tuple[int, ...]


def recognise(frames: np.ndarray) -> Recognition:
    """Nearest templates, among all pictures of the world, to the frames of a video [F, H, W, 3] in 0..1."""
    _, looks, levels = _templates()
    distance = _distances(frames)
    per_look = distance.min(2).sum(0)
    best = int(per_look.argmin())
    chosen = distance[:, best].argmin(1)
    height = levels[chosen]
    rise = np.diff(height, prepend=height[:1])
    leaps = tuple(int(frame) for frame in np.flatnonzero(rise > MIN_RISE))
    return Recognition(looks[best].colour, looks[best].shape, leaps)


def shapes_shown(frames: np.ndarray) -> list[str]:
    """The shape in each frame of a video [F, H, W, 3] by itself: that of the nearest template, with the wall
    and the place that fit the whole video best.
    """
    distance = _distances(frames)
    _, looks, _ = _templates()
    places = {(look.wall, look.side) for look in looks}
    at = {place: [n for n, look in enumerate(looks) if (look.wall, look.side) == place] for place in places}
    here = min(at.values(), key=lambda rows: float(distance[:, rows].min((1, 2)).sum()))
    return [looks[here[int(best)]].shape for best in distance[:, here].min(2).argmin(1)]


def _distances(frames: np.ndarray) -> np.ndarray:
    """Squared distances of frames to the templates, less what all have in common, [F, looks, levels]."""
    table, looks, levels = _templates()
    flat = _downsampled(frames)
    distance = (flat**2).sum(1)[:, None] - 2 * flat @ table.T + (table**2).sum(1)[None]
    return distance.reshape(len(frames), len(looks), len(levels))


class EventCounts:
    """Matches of detected leaps and true events, within one frame, counted over clips."""

    def __init__(self) -> None:
        self.hits = self.found = self.true = 0

    def add(self, leaps: tuple[int, ...], true: list[int]) -> float:
        """Adds a clip and returns its F1 score; 1 where there is neither a leap nor an event."""
        hits = count_matched(leaps, true)
        self.hits, self.found, self.true = self.hits + hits, self.found + len(leaps), self.true + len(true)
        return 2 * hits / (len(leaps) + len(true)) if leaps or true else 1.0

    @property
    def recall(self) -> float | None:
        return self.hits / self.true if self.true else None

    @property
    def precision(self) -> float | None:
        return self.hits / self.found if self.found else None


def _downsampled(frames: np.ndarray) -> np.ndarray:
    """Frames [F, H, W, 3] at half the size, flattened to float32 [F, H/2*W/2*3]."""
    quads = frames.reshape(len(frames), frames.shape[1] // 2, 2, frames.shape[2] // 2, 2, 3)
    return quads.mean((2, 4)).reshape(len(frames), -1).astype(np.float32)


@cache
def _templates() -> tuple[np.ndarray, list[Scene], np.ndarray]:
    """All pictures of the world as rows, made once: (table [looks * heights, pixels], looks, heights)."""
    levels = np.linspace(0.0, 1.0, 9)
    looks = [Scene(s, c, w, x) for s in SHAPES for c in COLOURS for w in WALLS for x in SIDES]
    rows = np.concatenate([_downsampled(render_heights(look, levels)) for look in looks])
    return rows, looks, levels


def count_matched(detected: Sequence[int], true: Sequence[int], tolerance: int = 1) -> int:
    """Number of true event frames that match a detected one within `tolerance` frames, one to one."""
    unmatched = list(detected)
    count = 0
    for frame in true:
        near = [other for other in unmatched if abs(other - frame) <= tolerance]
        if near:
            unmatched.remove(min(near, key=lambda other: abs(other - frame)))
            count += 1
    return count
