"""When samples are heard and frames are shown, from the time stamps of a file.

Stamps are rounded (Matroska's to milliseconds), some jitter, and those of Vorbis are off for single packets.
So a step in the time line counts only when the packets after it confirm it.

Legend: C channels, N samples.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import MediaError

_LATE_FRAMES = 0.5  # as much as a constant rate may be off by rounding and start delays
_JITTER_SECONDS = 0.003  # what rounded stamps may be off by; also the precision of the clock
LONGEST_JUMP = 3600  # seconds without a packet
_CONFIRMED_BY = 4  # later blocks that must agree on a step
_RESTART_SECONDS = 0.3  # stamps that go back further than that begin anew (chained and joined files)


class Stamped(NamedTuple):
    """Decoded samples [C, N] and where their time stamp puts the first one, in samples; None without one."""

    stamp: float | None
    samples: NDArray[np.float32]


class Placed(NamedTuple):
    """Samples [C, N], the first of which is number `position` from second 0 (or < 0)."""

    position: int
    samples: NDArray[np.float32]


def place_blocks(blocks: Iterator[Stamped], rate: int, coarsest: float) -> Iterator[Placed]:
    """Blocks of one sound where their stamps say, ascending and without overlap; gaps are left out.

    coarsest  samples per tick of the stamps: they cannot be better than that
    An error of `blocks` is raised after the blocks before it.
    """
    line = _TimeLine(max(_JITTER_SECONDS * rate, 1.01 * coarsest), _RESTART_SECONDS * rate)
    failure: MediaError | None = None
    try:
        for block in blocks:
            line.waiting.append(block)
            if len(line.waiting) > _CONFIRMED_BY:
                yield from line.next()
    except MediaError as error:
        failure = error
    while line.waiting:
        yield from line.next()
    if failure is not None:
        raise failure


class _TimeLine:
    """The blocks that wait for those after them, and where the samples so far end."""

    def __init__(self, tolerance: float, restart: float) -> None:
        self.tolerance, self.restart = tolerance, restart
        self.waiting: deque[Stamped] = deque()
        self.position: int | None = None
        self.ended: int | None = None
        self.lead = 0.0  # of the stamps' own zero, after they began anew

    def next(self) -> Iterator[Placed]:
        """Place the first block that waits."""
        if self.position is None:
            self.position = round(self.waiting[0].stamp or 0.0)
        self.position += self._step()
        samples = self.waiting.popleft().samples
        start, self.position = self.position, self.position + samples.shape[1]
        overlap = 0 if self.ended is None else max(0, self.ended - start)
        self.ended = max(self.position, self.ended or self.position)
        if overlap < samples.shape[1]:
            yield Placed(start + overlap, samples[:, overlap:])

    def _step(self) -> int:
        """Samples by which the next block stands later than where the one before it ended."""
        assert self.position is not None
        due: float = self.position
        off = []
        for block in self.waiting:
            if block.stamp is not None:
                off.append(block.stamp + self.lead - due)
            due += block.samples.shape[1]
        if self.waiting[0].stamp is None or abs(off[0]) <= self.tolerance:
            return 0
        if off[0] < -self.restart:
            self.lead -= off[0]
            return 0
        # Missing packets only ever add to the distance, so the smallest of them is sure.
        sure = max(0.0, min(off)) if off[0] > 0 else min(0.0, max(off))
        return round(sure) if abs(sure) > self.tolerance else 0


def check_jump(seconds: float, at: float, what: str, path: str | os.PathLike[str]) -> None:
    """MediaError for a jump of more than an hour `at` seconds: such stamps went wrong, and a time line with
    them would fill the memory."""
    if seconds > LONGEST_JUMP:
        raise MediaError(
            f"{path}: its time stamps jump by {seconds:.0f} s after {at:.2f} s of {what}; copy it into "
            "another container (remux it), or choose a part before that"
        )


def check_pictures(stamps: Sequence[Fraction], path: str | os.PathLike[str]) -> None:
    """`check_jump` for the presentation times of frames in seconds, ascending."""
    for earlier, later in itertools.pairwise(stamps):
        check_jump(float(later - earlier), float(earlier - stamps[0]), "video", path)


def measured_rate(stamps: Sequence[Fraction], stated: Fraction | None) -> Fraction | None:
    """Frames per second: as stated where the stamps agree, else the mean of the stamps; None if unknown.

    stamps  presentation times of frames in seconds, ascending
    """
    span = stamps[-1] - stamps[0] if len(stamps) > 1 else Fraction(0)
    if span <= 0:
        return stated
    mean = (len(stamps) - 1) / span
    if (
        stated is not None
        and stated > 0
        and abs(span * stated - (len(stamps) - 1)) <= max(1.0, 0.02 * len(stamps))
    ):
        return stated
    return mean.limit_denominator(1001) or mean


def uneven_times(stamps: Sequence[Fraction | None], rate: Fraction) -> tuple[float, ...]:
    """Seconds at which each frame is shown, the first at 0; empty where the `rate` is constant.

    stamps  presentation times of the frames as the file has them; empty also if one is missing or not later
            than the one before it
    """
    known = [stamp for stamp in stamps if stamp is not None]
    if len(known) < 3 or len(known) < len(stamps):
        return ()
    if any(later <= earlier for earlier, later in itertools.pairwise(known)):
        return ()
    times = [float(stamp - known[0]) for stamp in known]
    allowed = _LATE_FRAMES / float(rate)
    if all(abs(time - index / float(rate)) <= allowed for index, time in enumerate(times)):
        return ()
    return tuple(times)
