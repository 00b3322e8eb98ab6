"""A part of a sound for a shot: its borders are those of video frames, to the sample.

The first sample of frame n is the one nearest to n / fps, computed from n alone. So parts that follow one
another share their borders and join to the original bit for bit. Legend: C channels, N samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import torch

from ...errors import A2VError
from ...media import Waveform, frame_rate
from .grid import ANY_LENGTH, LengthGrid


@dataclass(frozen=True)
class SoundPart:
    """`frames` frames at `fps` from frame `first` on, and their sound [C, N].

    Beyond the end of the whole sound it is silent.
    """

    sound: Waveform
    fps: Fraction
    first: int
    frames: int

    @property
    def start(self) -> float:
        """Seconds at which the part begins."""
        return float(self.first / self.fps)

    @property
    def end(self) -> float:
        """Seconds at which it ends."""
        return float((self.first + self.frames) / self.fps)


def sound_part(
    sound: Waveform,
    fps: float | Fraction,
    start: float = 0.0,
    end: float = 0.0,
    frames: int = 0,
    grid: LengthGrid = ANY_LENGTH,
) -> SoundPart:
    """The part of a sound from the frame nearest to `start` (seconds).

    frames  so many, of the form of `grid`; 0: up to `end`, the nearest number of that form
    end     seconds; 0: to the end of the sound, with the least number of frames that holds all of it
    A2VError for a start beyond the sound, an end before the start, and a number of frames that is not of the
    form.
    """
    rate = frame_rate(fps)
    if not (0 <= start < math.inf and 0 <= end < math.inf):
        raise A2VError(f"The part is from {start} s to {end} s: expected seconds of 0 or more")
    first, total = _frame_at(start, rate), sound.samples.shape[-1]
    begin = _sample_of(first, rate, sound.sample_rate)
    if begin >= total:
        raise A2VError(
            f"The part starts at {start:g} s, but the sound is {sound.duration:.3f} s long; start earlier"
        )
    if frames:
        _check_frames(frames, grid)
    elif end:
        frames = _frames_until(end, first, start, rate, grid)
    else:
        frames = grid.at_least(math.ceil(Fraction(total, sound.sample_rate) * rate) - first)
        while _sample_of(first + frames, rate, sound.sample_rate) < total:
            frames = grid.at_least(frames + 1)
    length = _sample_of(first + frames, rate, sound.sample_rate) - begin
    part = sound.samples[:, begin : begin + length]
    padded = torch.nn.functional.pad(part, (0, length - part.shape[-1]))
    return SoundPart(Waveform(padded.contiguous(), sound.sample_rate), rate, first, frames)


def _check_frames(frames: int, grid: LengthGrid) -> None:
    if frames < 0 or grid.at_most(frames) != frames:
        form = f"{grid.step}n+{grid.rest}"
        raise A2VError(
            f"The part has {frames} frames: expected a number of the form {form}, such as "
            f"{grid.nearest(frames)}"
        )


def _frames_until(end: float, first: int, start: float, rate: Fraction, grid: LengthGrid) -> int:
    count = _frame_at(end, rate) - first
    if count < 1:
        raise A2VError(
            f"The part is from {start:g} s to {end:g} s, which is no frame at {float(rate):g} fps; end "
            "later, or give the number of frames"
        )
    return grid.nearest(count)


def _frame_at(seconds: float, rate: Fraction) -> int:
    """The frame that begins nearest to a time."""
    return math.floor(Fraction(seconds) * rate + Fraction(1, 2))


def _sample_of(frame: int, rate: Fraction, sample_rate: int) -> int:
    """The sample nearest to the beginning of a frame."""
    return math.floor(frame / rate * sample_rate + Fraction(1, 2))
