"""The frames of a video file and what the file says of them, in one pass: opening a file costs as much as a
frame.

Legend: H W height and width in pixels.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import MediaError
from ..video.reader import _opened, _quarter_turns
from .clock import uneven_times

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


class VideoFrames:
    """Iterates over uint8 RGB images [H, W, 3], upright, holding one at a time; pixels as `iter_video`.

    rate    frames per second, known from the first frame on
    times   when each frame is shown, seconds, where that is not index / fps; complete after the last frame
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._stamps: list[Fraction | None] = []
        self.rate = Fraction(0)

    def __iter__(self) -> Iterator[Pixels]:
        with _opened(self._path) as (container, stream):
            rate = stream.average_rate or stream.guessed_rate or stream.base_rate
            if not rate or rate <= 0:
                raise MediaError(f"{self._path}: the file states no frame rate. Convert it to mp4 first.")
            self.rate, base = Fraction(rate), Fraction(stream.time_base or 1)
            width, height = stream.codec_context.width, stream.codec_context.height
            for frame in container.decode(stream):
                self._stamps.append(None if frame.pts is None else frame.pts * base)
                image = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="BICUBIC")
                yield np.ascontiguousarray(np.rot90(image, _quarter_turns(frame)))
        if not self._stamps:
            raise MediaError(
                f"{self._path}: no frame could be decoded: the file is truncated or broken. Export it again."
            )

    @property
    def times(self) -> tuple[float, ...]:
        return uneven_times(self._stamps, self.rate)


def has_sound(path: str | os.PathLike[str]) -> bool:
    """Whether a video file has a sound track. MediaError for a file that is no video."""
    with _opened(path) as (container, _):
        return len(container.streams.audio) > 0
