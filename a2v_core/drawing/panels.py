"""Stacked panels over a shared time axis, for plots of sound and video.

Coordinates are in pixels from the top left, times in seconds. `floor` is the y of a panel's base line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .canvas import FAINT, INK, SOUND, Canvas

Floats = np.ndarray[Any, np.dtype[np.float32]]

SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800)
COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)
HEADROOM = 8.0


@dataclass(frozen=True)
class TimeAxis:
    """Maps seconds to x, from the edge `left` to the edge `right`."""

    seconds: float
    left: float
    right: float

    def x(self, time: float) -> float:
        """The x of a time, at most that of the end of the axis."""
        return self.left + (self.right - self.left) * min(time, self.seconds) / self.seconds


def area(
    canvas: Canvas,
    axis: TimeAxis,
    points: Sequence[tuple[float, float]],
    floor: float,
    height: float,
    colour: str,
    top: float = 0.0,
) -> None:
    """A curve through (time, value) over its filled area; the value `top` reaches the top of the panel.

    top  0 = the highest value of the curve
    """
    canvas.line([(axis.left, floor), (axis.right, floor)], FAINT)
    if not points:
        return
    top = top or max(max(value for _, value in points), 1e-9)
    curve = [(axis.x(time), floor - (height - HEADROOM) * value / top) for time, value in points]
    canvas.polygon([(curve[0][0], floor), *curve, (curve[-1][0], floor)], colour, opacity=0.18)
    canvas.line(curve, colour, 1.6)


def waveform(
    canvas: Canvas, axis: TimeAxis, samples: Floats, seconds: float, floor: float, height: float
) -> None:
    """Maximum and minimum of every pixel column of mono samples [N], around the middle of the panel.

    seconds  that they last, from second 0 of the axis on
    """
    middle, reach = floor - height / 2, (height - HEADROOM) / 2
    end = axis.x(seconds)
    columns = max(1, min(round(end - axis.left), len(samples)))
    parts = np.array_split(samples, columns)
    loudest = max(float(np.abs(samples).max(initial=0.0)), 1e-9)
    xs = np.linspace(axis.left, end, columns)
    upper = [
        (float(x), middle - reach * float(part.max()) / loudest) for x, part in zip(xs, parts, strict=True)
    ]
    lower = [
        (float(x), middle - reach * float(part.min()) / loudest) for x, part in zip(xs, parts, strict=True)
    ]
    canvas.line([(axis.left, middle), (axis.right, middle)], FAINT)
    canvas.polygon([*upper, *reversed(lower)], SOUND, opacity=0.55)
    canvas.line(upper, SOUND)
    canvas.line(lower, SOUND)


def seconds_axis(canvas: Canvas, axis: TimeAxis, floor: float) -> None:
    """Ticks and seconds under a panel."""
    tick = tick_of(axis.seconds, SECONDS, 10)
    for number in range(math.floor(axis.seconds / tick + 1e-6) + 1):
        x = axis.x(number * tick)
        canvas.line([(x, floor), (x, floor + 5)], FAINT)
        canvas.text(x, floor + 18, f"{number * tick:g} s", 11, INK, "middle" if number else "start")


def tick_of(whole: float, steps: Sequence[float], most: int) -> float:
    """The smallest of `steps` that divides `whole` into at most `most` parts; beyond them twice the last."""
    return next((step for step in steps if whole / step <= most), 2 * steps[-1])
