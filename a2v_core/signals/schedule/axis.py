"""The time axis of a video: absolute frame numbers at any rate.

Frame n is shown from n / fps on, and stands for the sound nearest to that moment: from half a frame before to
half a frame after. So what is heard at a time belongs to the frame that begins nearest to it, never more than
half a frame away, and frame numbers are computed from times, never added up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import A2VError
from ...media import frame_rate

_MOST_FRAMES = 10_000_000


@dataclass(frozen=True)
class FrameAxis:
    """`frames` frames at the exact rate `fps`."""

    fps: Fraction
    frames: int

    def __post_init__(self) -> None:
        if not 1 <= self.frames <= _MOST_FRAMES:
            raise A2VError(
                f"The video has {self.frames} frames: expected 1 to {_MOST_FRAMES}; check frames and fps"
            )

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return float(self.frames / self.fps)

    def frame_at(self, seconds: float) -> int:
        """The frame that begins nearest to a time; of two the later one. May lie outside the video."""
        return math.floor(Fraction(seconds) * self.fps + Fraction(1, 2))

    def time_of(self, frame: int) -> float:
        """Seconds at which a frame begins."""
        return float(frame / self.fps)

    def edges(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Borders in seconds between what the frames stand for, float64 [frames + 1]."""
        return (np.arange(self.frames + 1, dtype=np.float64) - 0.5) / float(self.fps)


def frame_axis(fps: float | Fraction, frames: int = 0, duration: float = 0.0) -> FrameAxis:
    """The axis of a video of `frames` frames; for 0 as long as `duration` seconds of sound.

    fps  frames per second; 23.976 means 24000/1001, and so on (`media.frame_rate`)
    A2VError for an fps outside 0.01..1000, a negative count, and neither frames nor a duration.
    """
    rate = frame_rate(fps)
    if frames < 0:
        raise A2VError(f"frames is {frames}: expected a number of frames, or 0 for as long as the sound")
    if not frames and not (math.isfinite(duration) and duration > 0):
        raise A2VError(f"The sound is {duration} s long: expected more than 0 s, or a number of frames")
    return FrameAxis(rate, frames or max(1, math.floor(Fraction(duration) * rate + Fraction(1, 2))))
