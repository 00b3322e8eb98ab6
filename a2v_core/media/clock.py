"""Presentation times of samples and frames, from the time stamps of a file.

Stamps are rounded (Matroska's to milliseconds), some jitter, and those of Vorbis are off at single packets.
So a jump in the stamps counts only when later packets confirm it.

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

_LATE_FRAMES = 0.5  # tolerance for a constant frame rate, for rounding and start delays
_JITTER_SECONDS = 0.003  # tolerance for rounded stamps
_LONGEST_JUMP = 3600  # seconds without a packet
_CONFIRMING_BLOCKS = 4  # later blocks that must agree on a jump
_RESTART_SECONDS = 0.3  # stamps that go back further have been restarted (chained and joined files)


class Stamped(NamedTuple):
    """Decoded samples [C, N] and the time stamp of the first one, in samples; None without one."""

    stamp: float | None
    samples: NDArray[np.float32]


class Placed(NamedTuple):
    """Samples [C, N]; `position` is the index of the first one from second 0 (may be negative)."""

    position: int
    samples: NDArray[np.float32]


def place_blocks(blocks: Iterator[Stamped], rate: int, samples_per_tick: float) -> Iterator[Placed]:
    """Place the blocks of one sound by their stamps: ascending and without overlap; gaps are not filled.

    samples_per_tick  of the time base: stamps cannot be more precise
    An error of `blocks` is raised after the blocks before it.
    """
    line = _TimeLine(max(_JITTER_SECONDS * rate, 1.01 * samples_per_tick), _RESTART_SECONDS * rate)
    failure: MediaError | None = None
    try:
        for block in blocks:
            line.pending.append(block)
            if len(line.pending) > _CONFIRMING_BLOCKS:
                yield from line.place_next()
    except MediaError as error:
        failure = error
    while line.pending:
        yield from line.place_next()
    if failure is not None:
        raise failure


class _TimeLine:
    """Blocks that wait for later ones to confirm their stamps, and the end of the samples placed so far."""

    def __init__(self, tolerance: float, restart: float) -> None:
        self.tolerance, self.restart = tolerance, restart
        self.pending: deque[Stamped] = deque()
        self.position: int | None = None
        self.end: int | None = None
        self.offset = 0.0  # added to the stamps since their last restart

    def place_next(self) -> Iterator[Placed]:
        """Place the first pending block."""
        if self.position is None:
            self.position = round(self.pending[0].stamp or 0.0)
        self.position += self._step()
        samples = self.pending.popleft().samples
        start, self.position = self.position, self.position + samples.shape[1]
        overlap = 0 if self.end is None else max(0, self.end - start)
        self.end = max(self.position, self.end or self.position)
        if overlap < samples.shape[1]:
            yield Placed(start + overlap, samples[:, overlap:])

    def _step(self) -> int:
        """Confirmed gap in samples between the last block and the next; negative for an overlap."""
        assert self.position is not None
        expected: float = self.position
        gaps = []
        for block in self.pending:
            if block.stamp is not None:
                gaps.append(block.stamp + self.offset - expected)
            expected += block.samples.shape[1]
        if self.pending[0].stamp is None or abs(gaps[0]) <= self.tolerance:
            return 0
        if gaps[0] < -self.restart:
            self.offset -= gaps[0]
            return 0
        # Missing packets only ever widen a gap, so the smallest one is certain.
        certain = max(0.0, min(gaps)) if gaps[0] > 0 else min(0.0, max(gaps))
        return round(certain) if abs(certain) > self.tolerance else 0


def check_jump(seconds: float, at: float, what: str, path: str | os.PathLike[str]) -> None:
    """MediaError when the stamps jump by more than an hour after `at` seconds: they are wrong, and as much
    silence would fill the memory."""
    if seconds > _LONGEST_JUMP:
        raise MediaError(
            f"{path}: its time stamps jump by {seconds:.0f} s after {at:.2f} s of {what}; copy it into "
            "another container (remux it), or choose a part before that"
        )


def check_frame_times(stamps: Sequence[Fraction], path: str | os.PathLike[str]) -> None:
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
    """Presentation times in seconds for a variable frame rate, the first at 0; empty for a constant `rate`.

    stamps  presentation times of the frames in the file; if one is missing or not later than the one before
            it, the result is empty too
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
