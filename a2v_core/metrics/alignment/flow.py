"""Motion of a video over time: dense optical flow between neighbouring frames, its mean magnitude as
published and its strength relative to the camera.

Legend: F video frames, H W height and width in pixels.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from ... import media
from ...errors import MediaError
from ...media import Pixels, to_uint8
from ...optional import require

Video = torch.Tensor | np.ndarray[Any, Any] | str | os.PathLike[str]

REFERENCE_SIDE = 384  # pixels: the size at which the paper's videos were scored
FAST_SIDE = 192  # half of that: a quarter of the work
CUT_SHARE = 0.35  # of the pixels: what changes less of the picture is no cut
CHANGED = 25  # grey levels of 255: a pixel that differs by more shows something else
_CAMERA_POINTS = 96  # along a side: the camera's motion is the median of the flow there


@dataclass(frozen=True)
class Motion:
    """Motion and light of a clip, one value per frame; sizes in pixels.

    flow        pixels per frame, none for a single frame (see `detect_motion`)
    camera      speed of most of the picture (length of the median of the flow over it), pixels per frame
    relative    root mean square of the flow less that median, pixels per frame: what moves in the picture
    times       presentation time of each frame, seconds; empty where that is index / fps
    brightness  mean grey level, 0..1
    change      mean absolute difference of grey to the frame before, 0..1; the first value repeats the second
    unlike      share of the pixels that show something else than in the frame before; from `CUT_SHARE` on
                without what the flow explains. The first value is 0
    """

    flow: tuple[float, ...]
    camera: tuple[float, ...]
    relative: tuple[float, ...]
    fps: float
    num_frames: int
    width: int
    height: int
    times: tuple[float, ...] = ()
    brightness: tuple[float, ...] = ()
    change: tuple[float, ...] = ()
    unlike: tuple[float, ...] = ()

    @property
    def normalised(self) -> tuple[float, ...]:
        """Flow in pixels of a 384 x 384 picture, so that pictures of all sizes compare."""
        return tuple(value * self.scale for value in self.flow)

    @property
    def scale(self) -> float:
        """Pixels of a 384 x 384 picture for a pixel of this one."""
        return REFERENCE_SIDE / math.sqrt(self.width * self.height)

    @property
    def frame_times(self) -> tuple[float, ...]:
        """Presentation time of each frame, seconds."""
        return self.times or tuple(index / self.fps for index in range(self.num_frames))


class Step(NamedTuple):
    """One frame against the one before it: flow in pixels; brightness, absolute difference and share of
    unlike pixels 0..1.
    """

    flow: float
    camera: float
    relative: float
    brightness: float
    change: float
    unlike: float


def detect_motion(video: Video, fps: float | None = None, flow_side: int = 0) -> Motion:
    """Optical flow of frames [F, H, W, 3] in 0..1 at `fps`, or of a video file (at its own fps unless given).

    flow[i] is the motion from frame i-1 to frame i; flow[0] repeats flow[1], as in the published code, so a
    peak can never be at index 1. Frames are rounded to 8 bit first, so the frames that went into an mp4 and
    those that come out of it differ by what the compression changed. A file is read one frame at a time.

    flow_side  0: flow of the frames as they are, as published. Otherwise frames are first scaled down to
               flow_side x flow_side pixels in area (never up), which is faster; the flow still counts in
               pixels of the original, but its values are not the published ones.
    Raises MediaError: no frames, values that are not finite, fps not above 0, a file that is no video.
    """
    file = media.VideoFrames(video) if isinstance(video, (str, os.PathLike)) else None
    images = _images(video) if file is None else iter(file)
    if file is None or fps is not None:
        _check_fps(fps)
    first = next(images, None)
    if first is None:
        raise MediaError("The video has no frames: expected at least two to see motion.")
    steps = list(motion_steps(first, images, flow_side))
    rate = float(file.rate) if file is not None and fps is None else _check_fps(fps)
    height, width = first.shape[:2]
    times = file.times if file is not None and fps is None else ()
    return assemble_motion(steps, rate, width, height, times)


def _check_fps(fps: float | None) -> float:
    if fps is None or not (math.isfinite(fps) and fps > 0):
        raise MediaError(f"fps is {fps}: expected the frames per second of the video, a number above 0.")
    return fps


def assemble_motion(
    steps: list[Step], fps: float, width: int, height: int, times: tuple[float, ...] = ()
) -> Motion:
    """Motion from the steps of all frames; the first has no frame before it and repeats the second."""
    flow = tuple(step.flow for step in steps[1:])
    camera = tuple(step.camera for step in steps[1:])
    relative = tuple(step.relative for step in steps[1:])
    change = tuple(step.change for step in steps[1:])
    brightness = tuple(step.brightness for step in steps)
    return Motion(
        flow[:1] + flow,
        camera[:1] + camera,
        relative[:1] + relative,
        float(fps),
        len(steps),
        width,
        height,
        times,
        brightness,
        change[:1] + change,
        tuple(step.unlike for step in steps),
    )


def motion_steps(first: Pixels, rest: Iterable[Pixels], flow_side: int = 0) -> Iterator[Step]:
    """A Step for every uint8 RGB image [H, W, 3]; that of the first has no motion.

    Source: the published av_align.py, OpenCV's Farneback with (0.5, 3, 15, 3, 5, 1.2, 0) on 8-bit grey
    images.
    """
    cv2 = require("cv2", "Optical flow (AV-Align)")
    size, scale = _working_size(first.shape[0], first.shape[1], flow_side)

    def to_grey(image: Pixels) -> Pixels:
        grey: Pixels = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return grey if size is None else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)

    before = to_grey(first)
    yield Step(0.0, 0.0, 0.0, cv2.mean(before)[0] / 255, 0.0, 0.0)
    for image in rest:
        grey = to_grey(image)
        field = cv2.calcOpticalFlowFarneback(before, grey, None, 0.5, 3, 15, 3, 5, 1.2, 0)
        camera = _camera(field)
        drift = field.mean(axis=(0, 1), dtype=np.float64)
        difference = cv2.absdiff(before, grey)
        unlike = _unlike(difference)
        if unlike >= CUT_SHARE:
            unlike = _unlike(cv2.absdiff(before, _moved_back(grey, field)))
        # The published cv2.magnitude rounds by where its arrays lie in memory (1e-10 px in the mean): equal
        # frames could get unequal flow. NumPy does not do so, and stays within 1e-8 px of it.
        np.multiply(field, field, out=field)
        squares = field[..., 0] + field[..., 1]
        flow = float(np.sqrt(squares).mean(dtype=np.float64))
        # The mean of |v - c|^2 over the picture, from the means of |v|^2 and of v.
        relative = float(squares.mean(dtype=np.float64)) - float((2 * drift - camera) @ camera)
        speed = float(np.hypot(*camera))
        yield Step(
            flow * scale,
            speed * scale,
            math.sqrt(max(0.0, relative)) * scale,
            cv2.mean(grey)[0] / 255,
            cv2.mean(difference)[0] / 255,
            unlike,
        )
        before = grey


def _unlike(difference: Pixels) -> float:
    """Share of the pixels [H, W] that differ by more than `CHANGED`."""
    return float(np.count_nonzero(difference > CHANGED)) / difference.size


def _moved_back(image: Pixels, field: Pixels) -> Pixels:
    """An image [H, W] where it was before its motion [H, W, 2]."""
    cv2 = require("cv2", "Optical flow (AV-Align)")
    height, width = image.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    moved: Pixels = cv2.remap(
        image,
        columns + field[..., 0],
        rows + field[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return moved


def _camera(field: Pixels) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Median of the flow [H, W, 2] over the picture, (x, y)."""
    rows, columns = (max(1, side // _CAMERA_POINTS) for side in field.shape[:2])
    return np.median(field[::rows, ::columns].reshape(-1, 2), axis=0).astype(np.float64)


def _working_size(height: int, width: int, flow_side: int) -> tuple[tuple[int, int] | None, float]:
    """(width, height) to scale to, and original pixels per scaled one; None and 1 to leave frames alone."""
    area = math.sqrt(height * width)
    if not flow_side or area <= flow_side:
        return None, 1.0
    size = max(1, round(width * flow_side / area)), max(1, round(height * flow_side / area))
    return size, area / math.sqrt(size[0] * size[1])


def _images(frames: Any) -> Iterator[Pixels]:
    """One frame at a time, so that a long clip is never held twice."""
    if frames.ndim != 4:
        to_uint8(frames)  # raises: the shape is wrong
    for index in range(len(frames)):
        yield to_uint8(frames[index : index + 1])[0]
