"""The frames of a video on a socket, IMAGE or VIDEO, and their motion.

Legend: F frames, H W height and width in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ..a2v_core.errors import MediaError
from ..a2v_core.media import to_uint8
from ..a2v_core.metrics.alignment import Motion, assemble_motion, motion_steps
from .runtime import Progress


def frames_of(images: Any, fps: float, node: str) -> tuple[Tensor, float]:
    """Frames [F, H, W, 3] and their fps, of an IMAGE or a VIDEO. MediaError for anything else."""
    if images is None:
        raise MediaError(f"{node}: the input images are None; connect the frames of a video, or a VIDEO")
    if not isinstance(images, Tensor):
        parts = images.get_components()
        images, fps = parts.images, float(parts.frame_rate)
    if not math.isfinite(fps):
        raise MediaError(f"{node}: fps is {fps}: expected the frames per second of the video")
    if images.ndim != 4 or not images.numel():
        raise MediaError(
            f"{node}: the input images are {list(images.shape)}: expected frames [frames, height, width, 3], "
            "at least 4 of them; connect those of a video"
        )
    return images[..., :3], fps


class Pixels(Sequence[Any]):
    """Frames as uint8 [H, W, 3], one at a time: a picture needs but a few of them."""

    def __init__(self, frames: Tensor) -> None:
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: Any) -> Any:
        return to_uint8(self._frames[index : index + 1])[0]


def motion_of(frames: Tensor, fps: float, progress: Progress, begun: int = 0) -> Motion:
    """Motion of frames [F, H, W, 3], shown after `begun` others; Cancel takes effect between any two."""
    images = iter(Pixels(frames))
    steps = []
    for step in motion_steps(next(images), images):
        steps.append(step)
        progress(begun + len(steps))
    return assemble_motion(steps, fps, frames.shape[2], frames.shape[1])
