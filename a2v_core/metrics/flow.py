"""Motion of a video over time: the mean magnitude of dense optical flow between neighbouring frames.

Legend: F video frames, H W height and width in pixels.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..errors import MediaError
from ..video.mp4 import iter_video, probe_video, to_uint8
from .optional import require

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Video = torch.Tensor | np.ndarray[Any, Any] | str | os.PathLike[str]


@dataclass(frozen=True)
class Motion:
    """flow: one value per frame in pixels, none for a single frame (see `detect_motion`); size in pixels."""

    flow: tuple[float, ...]
    fps: float
    num_frames: int
    width: int
    height: int


def detect_motion(video: Video, fps: float | None = None) -> Motion:
    """Optical flow of frames [F, H, W, 3] in 0..1 at `fps`, or of a video file (at its own fps unless told).

    flow[i] is the motion from frame i-1 to frame i; flow[0] repeats flow[1], as in the published code, so a
    peak can never be at index 1. Frames are rounded to 8 bit first, so the frames that went into an mp4 and
    those that come out of it differ by what the compression changed. A file is read one frame at a time.
    Raises MediaError: no frames, values that are not finite, fps not above 0, a file that is no video.
    """
    if isinstance(video, (str, os.PathLike)):
        fps = probe_video(video).fps if fps is None else fps
        images = iter_video(video)
    else:
        images = _images(video)
    if fps is None or not (math.isfinite(fps) and fps > 0):
        raise MediaError(f"fps is {fps}: expected the frames per second of the video, a number above 0.")
    first = next(images, None)
    if first is None:
        raise MediaError("The video has no frames: expected at least two to see motion.")
    between = list(flow_magnitudes(first, images))
    height, width = first.shape[:2]
    return Motion(tuple(between[:1] + between), float(fps), len(between) + 1, width, height)


def flow_magnitudes(first: Pixels, rest: Iterable[Pixels]) -> Iterator[float]:
    """Mean flow magnitude in pixels between each two neighbours of uint8 RGB images [H, W, 3].

    Source: the published av_align.py, OpenCV's Farneback with (0.5, 3, 15, 3, 5, 1.2, 0) on 8-bit grey
    images.
    """
    cv2 = require("cv2", "Optical flow (AV-Align)")
    before = cv2.cvtColor(first, cv2.COLOR_RGB2GRAY)
    for image in rest:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        field = cv2.calcOpticalFlowFarneback(before, grey, None, 0.5, 3, 15, 3, 5, 1.2, 0)
        across, down = field[..., 0], field[..., 1]
        # The published cv2.magnitude rounds by where its arrays lie in memory (1e-10 px in the mean): equal
        # frames could get unequal flow. NumPy does not do so, and stays within 1e-8 px of it.
        yield float(np.sqrt(across * across + down * down).mean(dtype=np.float64))
        before = grey


def _images(frames: torch.Tensor | np.ndarray[Any, Any]) -> Iterator[Pixels]:
    """One frame at a time, so that a long clip is never held twice."""
    if frames.ndim != 4:
        to_uint8(frames)  # says what is wrong with the shape
    for index in range(len(frames)):
        yield to_uint8(frames[index : index + 1])[0]
