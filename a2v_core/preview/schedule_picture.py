"""The picture of a schedule: the waveform, and below it the value of every frame, over seconds and frames.

Legend: N samples, F video frames.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..audio import Waveform
from ..drawing import (
    COUNTS,
    FAINT,
    HEADROOM,
    INK,
    PICTURE,
    SHADE,
    SOUND,
    Canvas,
    PixelCanvas,
    TimeAxis,
    rectangle,
    seconds_axis,
    tick_of,
    waveform,
)
from ..signals import Schedule

WIDTH = 768
_EDGE, _LEFT, _RIGHT, _TOP, _PANEL, _CURVE, _GAP, _AXES = 12, 92, 20, 34, 64, 120, 14, 62
_NUMBER_PIXELS = 44  # of a frame number and the space beside it


def schedule_pixels(
    sound: Waveform, schedule: Schedule, title: str, width: int = WIDTH
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The picture as pixels, uint8 [H, width, 3], of a schedule of this sound.

    title  what the values are, such as the name of the signal
    """
    canvas = PixelCanvas(width, _TOP + _PANEL + _GAP + _CURVE + _AXES)
    frames = schedule.axis
    axis = TimeAxis(max(sound.duration, frames.duration), _LEFT, width - _RIGHT)
    canvas.text(_EDGE, 20, _heading(schedule, title), 15)
    floor, low = _TOP + _PANEL, _TOP + _PANEL + _GAP + _CURVE
    if frames.duration < axis.seconds:
        end = axis.x(frames.duration)
        canvas.polygon(rectangle(end, _TOP, axis.right - end, low - _TOP), SHADE)
    canvas.text(_EDGE, floor - _PANEL / 2, "sound", 13, SOUND)
    mono = sound.samples.detach().float().mean(dim=0).cpu().numpy()
    waveform(canvas, axis, mono, sound.duration, floor, _PANEL)
    _curve(canvas, axis, schedule, low)
    _frames(canvas, axis, schedule, low + 26)
    seconds_axis(canvas, axis, low)
    return canvas.pixels()


def _heading(schedule: Schedule, title: str) -> str:
    values, axis = schedule.values, schedule.axis
    return (
        f"{title}    {axis.frames} frames at {float(axis.fps):g} fps = {axis.duration:.2f} s    "
        f"{values.min():.3g} to {values.max():.3g}"
    )


def _curve(canvas: Canvas, axis: TimeAxis, schedule: Schedule, floor: float) -> None:
    """A step for every frame while it is shown; the scale holds 0 and 1, and all values."""
    values, fps = schedule.values, float(schedule.axis.fps)
    lowest, highest = min(0.0, float(values.min())), max(1.0, float(values.max()))

    def y(value: float) -> float:
        return floor - (_CURVE - HEADROOM) * (value - lowest) / (highest - lowest)

    for value in {lowest, 0.0, highest}:
        canvas.text(axis.left - 6, y(value) + 4, f"{value:.3g}", 11, INK, "end")
    canvas.line([(axis.left, y(highest)), (axis.right, y(highest))], FAINT, dashed=True)
    canvas.line([(axis.left, y(0.0)), (axis.right, y(0.0))], FAINT)
    canvas.text(_EDGE, floor - _CURVE / 2, "value", 13, PICTURE)
    steps = [
        (axis.x(edge / fps), y(float(value)))
        for frame, value in enumerate(values)
        for edge in (frame, frame + 1)
    ]
    canvas.polygon([(steps[0][0], y(0.0)), *steps, (steps[-1][0], y(0.0))], PICTURE, opacity=0.18)
    canvas.line(steps, PICTURE, 1.6)


def _frames(canvas: Canvas, axis: TimeAxis, schedule: Schedule, floor: float) -> None:
    """The numbers of some frames, where each begins."""
    frames = schedule.axis
    room = max(1, int((axis.x(frames.duration) - axis.left) / _NUMBER_PIXELS))
    canvas.text(_EDGE, floor + 18, "frame", 11)
    for frame in range(0, frames.frames, int(tick_of(frames.frames, COUNTS, room))):
        x = axis.x(frames.time_of(frame))
        canvas.line([(x, floor), (x, floor + 5)], FAINT)
        canvas.text(x, floor + 18, str(frame), 11, INK, "middle" if frame else "start")
