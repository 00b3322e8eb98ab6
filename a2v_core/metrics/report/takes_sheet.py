"""The contact sheet of several takes: a strip of frames and the score of each, the best marked.

Legend: F frames, H W height and width in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...drawing import FAINT, INK, PICTURE, PixelCanvas, rectangle

WIDTH, ROW, HEAD = 768, 112, 34
_EDGE, _STRIP, _MOST = 12, 72, 12

Picture = np.ndarray[Any, np.dtype[np.uint8]]


class TakeStrip(NamedTuple):
    """A take: what is said of it, whether it is the best, its frames uint8 [H, W, 3]."""

    words: str
    best: bool
    frames: Sequence[Picture]


def takes_pixels(heading: str, takes: Sequence[TakeStrip]) -> Picture:
    """The sheet, uint8 [H, 768, 3]."""
    canvas = PixelCanvas(WIDTH, HEAD + ROW * len(takes))
    canvas.text(_EDGE, 22, heading, 13)
    for number, take in enumerate(takes):
        top = HEAD + ROW * number
        canvas.line([(_EDGE, top), (WIDTH - _EDGE, top)], FAINT)
        if take.best:
            canvas.polygon(rectangle(4, top + 3, WIDTH - 8, ROW - 6), PICTURE, opacity=0.15)
        canvas.text(_EDGE, top + 20, take.words, 13, PICTURE if take.best else INK)
        _strip(canvas, top + 30, take.frames)
    return canvas.pixels()


def _strip(canvas: PixelCanvas, top: float, frames: Sequence[Picture]) -> None:
    """Frames at even distances, as many as fit."""
    height, width = frames[0].shape[:2]
    wide = max(8, min(160, round(_STRIP * width / height)))
    tall = max(4, min(_STRIP, round(wide * height / width)))
    count = max(1, min(_MOST, len(frames), (WIDTH - 2 * _EDGE) // (wide + 2)))
    for number in range(count):
        canvas.paste(_EDGE + number * (wide + 2), top, frames[number * len(frames) // count], wide, tall)
