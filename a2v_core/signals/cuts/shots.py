"""Cut lists: a video in shots that begin on beats or onsets, each of a length that the model can make.

Positions are absolute frames and lengths are differences of positions, so that nothing adds up to a drift.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import A2VError
from ..schedule import FrameAxis
from .grid import ANY_LENGTH, LengthGrid


@dataclass(frozen=True)
class Mark:
    """A moment that a cut may fall on: seconds, and how much it deserves one (0..1)."""

    time: float
    strength: float = 1.0


@dataclass(frozen=True)
class Shot:
    """`frames` frames from frame `first` on; `mark` is the time in seconds of what its cut was meant for."""

    first: int
    frames: int
    mark: float | None


@dataclass(frozen=True)
class CutList:
    """Shots that follow one another from frame 0; `remainder` frames of the video lie after the last.

    The lengths and the remainder add up to the video's frames.
    """

    axis: FrameAxis
    shots: tuple[Shot, ...]
    remainder: int

    def start(self, shot: Shot) -> float:
        """Seconds at which a shot begins."""
        return self.axis.time_of(shot.first)

    def end(self, shot: Shot) -> float:
        """Seconds at which it ends."""
        return self.axis.time_of(shot.first + shot.frames)


@dataclass(frozen=True)
class _Rule:
    axis: FrameAxis
    grid: LengthGrid
    shortest: int
    longest: int


def cut_list(
    axis: FrameAxis,
    marks: Sequence[Mark],
    shortest: float = 1.0,
    longest: float = 5.0,
    grid: LengthGrid = ANY_LENGTH,
) -> CutList:
    """Cut a video at the best mark within reach of each shot; without one, at the longest length.

    marks     beats or onsets, in any order; of those that a shot reaches, the strongest is cut on
    shortest, longest  of a shot in seconds; the last takes what is left and may be shorter
    grid      lengths that the model can make: a cut falls on that nearest to its mark
    A2VError where no length of the grid lies between both, and for a video shorter than any of the grid.
    """
    rule = _rule(axis, shortest, longest, grid)
    ordered = sorted(marks, key=lambda mark: mark.time)
    shots: list[Shot] = []
    first, mark = 0, None
    while axis.frames - first > rule.longest:
        frames, following = _best(rule, first, ordered)
        shots.append(Shot(first, frames, mark))
        first, mark = first + frames, following
    last = grid.at_most(axis.frames - first)
    if last:
        shots.append(Shot(first, last, mark))
    return CutList(axis, tuple(shots), axis.frames - first - last)


def _rule(axis: FrameAxis, shortest: float, longest: float, grid: LengthGrid) -> _Rule:
    if not (0 < shortest <= longest < math.inf):
        raise A2VError(f"Shots of {shortest} to {longest} s: expected more than 0 s, the shortest first")
    fps = float(axis.fps)
    low, high = (
        grid.at_least(math.ceil(shortest * fps - 1e-6)),
        grid.at_most(math.floor(longest * fps + 1e-6)),
    )
    if low > high:
        raise A2VError(
            f"Between {shortest} s and {longest} s at {fps:g} fps there is no length of "
            f"{grid.step} n + {grid.rest} frames; make the longest shot {low / fps:.3f} s or longer"
        )
    if not grid.at_most(axis.frames):
        raise A2VError(f"The video has {axis.frames} frames; the model makes {grid.shortest} or more")
    return _Rule(axis, grid, low, high)


def _best(rule: _Rule, first: int, marks: Sequence[Mark]) -> tuple[int, float | None]:
    """Length of the shot that begins at `first`, and the mark that it ends on.

    The rest of the video must not be shorter than a shot where that can be helped.
    """
    left = rule.axis.frames - first
    longest = rule.longest
    if left - longest < rule.shortest:
        longest = max(rule.shortest, rule.grid.at_most(left - rule.shortest))
    fps, slack = float(rule.axis.fps), rule.grid.step / 2
    begin = bisect.bisect_left(marks, (first + rule.shortest - slack) / fps, key=lambda mark: mark.time)
    end = bisect.bisect_right(marks, (first + longest + slack) / fps, key=lambda mark: mark.time)
    best: tuple[float, int, float] | None = None
    for mark in marks[begin:end]:
        exact = mark.time * fps - first
        frames = min(max(rule.grid.nearest(exact), rule.shortest), longest)
        off = abs(frames - exact) / fps
        worth = mark.strength - 2 * off  # half a second beside the strongest mark is worth nothing
        if worth > 0 and (best is None or worth > best[0] + 1e-9):
            best = (worth, frames, mark.time)
    return (longest, None) if best is None else best[1:]
