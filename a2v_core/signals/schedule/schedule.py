"""A sound -> a value for every video frame.

Legend: F video frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import A2VError
from ..analysis import ONSET, Curve, Measured, Sound, measure
from .axis import FrameAxis, frame_axis
from .frames import onset_frames, unit_frames
from .shape import Shape, shaped

Values = np.ndarray[Any, np.dtype[np.float64]]

_NO_SHAPE = Shape()


@dataclass(frozen=True)
class Schedule:
    """values float64 [F] of the frames of `axis`."""

    axis: FrameAxis
    values: Values

    def floats(self) -> list[float]:
        """The values as a list, as ComfyUI's FLOATS and lists of FLOAT hold them."""
        return [float(value) for value in self.values]


def sound_schedule(
    sound: Sound,
    signal: str = ONSET,
    fps: float | Fraction = 24.0,
    frames: int = 0,
    shape: Shape = _NO_SHAPE,
) -> Schedule:
    """Measure a signal of a sound or a file and make it a schedule.

    signal  of `SIGNALS`, or a range in Hz, as "80-200"
    fps     frames per second of the video, exact (23.976 means 24000/1001)
    frames  of the video; 0 for as long as the sound. Beyond the end of the sound it is silent
    A2VError for a wrong signal, fps, number of frames or shape; MediaError for a sound that cannot be read.
    """
    frame_axis(fps, frames or 1)  # a wrong fps is told before minutes of sound are read
    measured = measure(sound, (signal,))
    return schedule_of(measured, signal, frame_axis(fps, frames, measured.duration), shape)


def schedule_of(measured: Measured, signal: str, axis: FrameAxis, shape: Shape = _NO_SHAPE) -> Schedule:
    """The schedule of a signal that has been measured."""
    if signal == ONSET:
        return Schedule(axis, shaped(onset_frames(measured.onsets, axis), shape, float(axis.fps)))
    if signal not in measured.curves:
        raise A2VError(
            f"The signal {signal!r} was not measured; there are {', '.join(measured.curves) or 'none'}"
        )
    return curve_schedule(measured.curves[signal], axis, shape)


def curve_schedule(curve: Curve, axis: FrameAxis, shape: Shape = _NO_SHAPE) -> Schedule:
    """The schedule of a curve."""
    return Schedule(axis, shaped(unit_frames(curve, axis), shape, float(axis.fps)))
