"""Plots without a plotting library: drawing primitives and panels over a time axis, as SVG or pixels."""

from .canvas import (
    FAINT,
    INK,
    MATCH,
    OTHER,
    PAPER,
    PICTURE,
    SHADE,
    SOUND,
    Canvas,
    PixelCanvas,
    SvgCanvas,
    rectangle,
)
from .panels import COUNTS, HEADROOM, TimeAxis, area, seconds_axis, tick_of, waveform

__all__ = [
    "COUNTS",
    "FAINT",
    "HEADROOM",
    "INK",
    "MATCH",
    "OTHER",
    "PAPER",
    "PICTURE",
    "SHADE",
    "SOUND",
    "Canvas",
    "PixelCanvas",
    "SvgCanvas",
    "TimeAxis",
    "area",
    "rectangle",
    "seconds_axis",
    "tick_of",
    "waveform",
]
