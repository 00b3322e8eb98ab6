"""A sheet with a sound's waveform over lanes that share its time axis. Legend: N samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..audio import Waveform
from ..drawing import FAINT, INK, SOUND, Canvas, PixelCanvas, TimeAxis, seconds_axis, waveform
from ..errors import A2VError

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

WIDTH = 768
MIN_WIDTH, MAX_WIDTH = 384, 8192
LANE = 26.0
_EDGE, _RIGHT, _TOP, _PANEL, _GAP, _AXIS = 12, 20, 34, 64, 14, 30
_LETTER = 6.4  # pixels of a letter at size 12, about


class Sheet:
    """A picture with a heading, the waveform and `lanes` lanes; `canvas` and `axis` draw into them."""

    def __init__(self, sound: Waveform, seconds: float, lanes: int, left: float, width: int) -> None:
        """seconds: how long the axis is, at least as long as the sound. left: where it begins, in pixels.

        A2VError for a width outside 384 to 8192 pixels.
        """
        if not MIN_WIDTH <= width <= MAX_WIDTH:
            raise A2VError(f"the picture's width is {width} pixels: expected {MIN_WIDTH} to {MAX_WIDTH}")
        self._pixels = PixelCanvas(width, round(_TOP + _PANEL + _GAP + lanes * LANE + _AXIS))
        self.canvas: Canvas = self._pixels
        self.axis = TimeAxis(max(sound.duration, seconds, 1e-3), left, width - _RIGHT)
        self.top = float(_TOP)
        self._lanes = lanes
        mono = sound.samples.detach().float().mean(dim=0).cpu().numpy()
        self.name(_TOP + _PANEL / 2 + 4, "sound", SOUND)
        waveform(self.canvas, self.axis, mono, sound.duration, _TOP + _PANEL, _PANEL)
        seconds_axis(self.canvas, self.axis, self.bottom)

    @property
    def bottom(self) -> float:
        """The base line of the last lane."""
        return self.floor(self._lanes - 1)

    def floor(self, lane: int) -> float:
        """The base line of a lane, counted from 0; of -1 that of the waveform."""
        return _TOP + _PANEL + (0 if lane < 0 else _GAP + (lane + 1) * LANE)

    def heading(self, words: str) -> None:
        """Words over the picture."""
        self.canvas.text(_EDGE, 20, words, 14)

    def lane(self, lane: int, name: str) -> None:
        """The base line of a lane and its name, cut to the room that there is."""
        floor = self.floor(lane)
        self.canvas.line([(self.axis.left, floor), (self.axis.right, floor)], FAINT)
        self.name(floor - 7, name, INK)

    def name(self, y: float, name: str, colour: str) -> None:
        """A name left of the axis."""
        room = int((self.axis.left - _EDGE - 8) / _LETTER)
        self.canvas.text(_EDGE, y, name if len(name) <= room else f"{name[: room - 2]}..", 12, colour)

    def pixels(self) -> Pixels:
        """The picture, uint8 [H, width, 3]."""
        return self._pixels.pixels()
