"""Frames out of any video file that FFmpeg reads (mp4, mov, webm, mkv, avi), one at a time or all at once.

Legend: F video frames, H W height and width in pixels.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import torch
from av.stream import Disposition

from ..errors import MediaError


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says: frames per second, upright size in pixels, and whether it has a sound track."""

    rate: Fraction
    width: int
    height: int
    has_audio: bool

    @property
    def fps(self) -> float:
        return float(self.rate)


@dataclass(frozen=True)
class VideoClip:
    """frames: float32 [F, H, W, 3] in 0..1; fps: frames per second."""

    frames: torch.Tensor
    fps: float


def read_video(path: str | os.PathLike[str], max_frames: int = 0) -> VideoClip:
    """All frames of a video file, or its first `max_frames`; fps as the file states it (the mean).

    A file that is cut off after its index gives the frames it still has, as in a player.
    Raises MediaError for a missing, broken or empty file and for one without a picture.
    """
    images: list[np.ndarray[Any, np.dtype[np.uint8]]] = []
    for image in iter_video(path):
        images.append(image)
        if len(images) == max_frames:
            break
    frames = torch.empty((len(images), *images[0].shape), dtype=torch.float32)
    for row, image in zip(frames, images, strict=True):
        row.copy_(torch.from_numpy(image)).div_(255)
    return VideoClip(frames, probe_video(path).fps)


def iter_video(path: str | os.PathLike[str]) -> Iterator[np.ndarray[Any, np.dtype[np.uint8]]]:
    """The frames one after another, uint8 [H, W, 3] RGB, upright. MediaError as `read_video`.

    Memory holds one frame. Pixels equal OpenCV's VideoCapture on 8-bit files (bicubic chroma, phone
    rotation applied).
    """
    count = 0
    with _opened(path) as (container, stream):
        width, height = stream.codec_context.width, stream.codec_context.height
        for frame in container.decode(stream):
            image = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="BICUBIC")
            count += 1
            yield np.ascontiguousarray(np.rot90(image, _quarter_turns(frame)))
    if count == 0:
        raise MediaError(
            f"{path}: no frame could be decoded: the file is truncated or broken. Export it again."
        )


def probe_video(path: str | os.PathLike[str]) -> VideoInfo:
    """Frame rate, upright size and sound, from the header and the first frame. MediaError as `read_video`."""
    with _opened(path) as (container, stream):
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate
        if not rate or rate <= 0:
            raise MediaError(f"{path}: the file states no frame rate. Convert it to mp4 first.")
        width, height = stream.codec_context.width, stream.codec_context.height
        has_audio = len(container.streams.audio) > 0
        for frame in container.decode(stream):
            if _quarter_turns(frame) % 2:
                width, height = height, width
            return VideoInfo(Fraction(rate), width, height, has_audio)
    raise MediaError(f"{path}: no frame could be decoded: the file is truncated or broken. Export it again.")


def _quarter_turns(frame: Any) -> int:
    """How often to turn a frame left by 90 degrees to stand upright; phones store this beside the picture."""
    return round(frame.rotation / 90) % 4 if math.isfinite(frame.rotation) else 0


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[tuple[Any, Any]]:
    """The open file and its picture stream; FFmpeg's errors as MediaError."""
    source = Path(path)
    if not source.is_file():
        raise MediaError(f"{source}: there is no such file. Check the name and the folder.")
    if source.stat().st_size == 0:
        raise MediaError(f"{source}: the file is empty. Copy or download it again.")
    try:
        # Some formats are lists of other files: nothing but the disk is ever asked.
        with av.open(str(source), options={"protocol_whitelist": "file"}) as container:
            # The cover picture of a song is a video stream to FFmpeg, not to us.
            streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
            if not streams:
                raise MediaError(
                    f"{source}: the file has no video stream. Give a video such as mp4, mov or webm."
                )
            yield container, streams[0]
    except av.error.FFmpegError as error:
        raise MediaError(
            f"{source}: cannot be read as a video ({error.strerror}): it is truncated, broken or not one. "
            "Play it in a media player to check, and export it again."
        ) from error
