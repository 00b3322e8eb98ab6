"""Decoding of any video file that FFmpeg reads (mp4, mov, webm, mkv, avi), frame by frame or at once.

Legend: F video frames, H W height and width in pixels.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
import torch

from ..errors import MediaError
from .clock import check_frame_times, measured_rate, uneven_times
from .facts import file_facts, has_sound, picture_origin
from .formats import Pixels
from .opener import decoded_pictures, known_fraction, open_media, picture_stream, time_base

_SEEK_FROM_SECONDS = 1.0  # below this, decoding from the start costs next to nothing


@dataclass(frozen=True)
class VideoInfo:
    """What a video file holds: frames per second, upright size in pixels, and whether it has a sound track
    that can be decoded.
    """

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


class VideoFrames:
    """Iterates over uint8 RGB images [H, W, 3], upright, holding one at a time. MediaError as `read_video`.

    Pixels equal OpenCV's VideoCapture on 8-bit files (bicubic chroma, phone rotation applied).

    rate    frames per second, and
    times   presentation times in seconds where those are not index / fps; both known after the last frame
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._stamps: list[Fraction | None] = []
        self._stated_rate: Fraction | None = None

    def __iter__(self) -> Iterator[Pixels]:
        self._stamps.clear()
        with open_media(self._path) as container:
            stream = picture_stream(container, self._path)
            self._stated_rate, base = known_fraction(stream.average_rate), time_base(stream)
            width, height = stream.codec_context.width, stream.codec_context.height
            for frame in decoded_pictures(container, stream):
                self._stamps.append(None if frame.pts is None else frame.pts * base)
                image = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="BICUBIC")
                yield np.ascontiguousarray(np.rot90(image, quarter_turns(frame)))
        if not self._stamps:
            raise _nothing_decoded(self._path)
        check_frame_times(self._known_stamps(), self._path)

    def _known_stamps(self) -> list[Fraction]:
        return sorted(stamp for stamp in self._stamps if stamp is not None)

    @property
    def rate(self) -> Fraction:
        """MediaError where neither the header nor the time stamps give it."""
        rate = measured_rate(self._known_stamps(), self._stated_rate)
        if rate is None or rate <= 0:
            raise _no_rate(self._path)
        return rate

    @property
    def times(self) -> tuple[float, ...]:
        return uneven_times(self._stamps, self.rate)


def read_video(path: str | os.PathLike[str], max_frames: int = 0) -> VideoClip:
    """All frames of a video file, or its first `max_frames`; fps as `probe_video`.

    A file that is truncated after its index gives the frames that are left, as in a player.
    Raises MediaError for a missing, broken or empty file and for one without a picture.
    """
    images: list[Pixels] = []
    for image in VideoFrames(path):
        images.append(image)
        if len(images) == max_frames:
            break
    frames = torch.empty((len(images), *images[0].shape), dtype=torch.float32)
    for row, image in zip(frames, images, strict=True):
        row.copy_(torch.from_numpy(image)).div_(255)
    return VideoClip(frames, probe_video(path).fps)


def probe_video(path: str | os.PathLike[str]) -> VideoInfo:
    """Frame rate, upright size and sound. MediaError as `read_video`.

    The rate is the one that the file states where its time stamps agree, else their mean; all packets are
    read for it.
    """
    with open_media(path) as container:
        stream = picture_stream(container, path)
        width, height = stream.codec_context.width, stream.codec_context.height
        frame = next(decoded_pictures(container, stream), None)
        if frame is None:
            raise _nothing_decoded(path)
        if quarter_turns(frame) % 2:
            width, height = height, width
    rate = file_facts(path).rate
    if rate is None:
        raise _no_rate(path)
    return VideoInfo(rate, width, height, has_sound(path))


def frames_from(
    path: str | os.PathLike[str], start: float = 0.0
) -> Iterator[tuple[float, av.VideoFrame, float]]:
    """(presentation time in seconds from second 0, frame, pixel aspect ratio), in order.

    The first frame is the one at `start`, or an earlier one. MediaError as `read_video`.
    """
    for seek in (True, False) if start > _SEEK_FROM_SECONDS else (False,):
        frames = _decoded(path, start if seek else None)
        first = next(frames, None)
        # In some formats a seek may land behind its target.
        if first is not None and (first[0] <= start or not seek):
            yield first
            yield from frames
            return


def _decoded(
    path: str | os.PathLike[str], start: float | None
) -> Iterator[tuple[float, av.VideoFrame, float]]:
    with open_media(path) as container:
        stream = picture_stream(container, path)
        base = time_base(stream)
        origin = picture_origin(path, container) or Fraction(0)
        # Old camera formats have pixels that are not square.
        aspect = float(known_fraction(stream.codec_context.sample_aspect_ratio) or 1)
        if start is not None:
            container.seek(round((Fraction(start) + origin) / base), stream=stream)
        time = 0.0
        for frame in decoded_pictures(container, stream):
            time = time if frame.pts is None else float(frame.pts * base - origin)
            yield time, frame, aspect
            time += float((frame.duration or 0) * base)


def quarter_turns(frame: Any) -> int:
    """Turns by 90 degrees to the left that put a frame upright, from the rotation that phones store."""
    return round(frame.rotation / 90) % 4 if math.isfinite(frame.rotation) else 0


def _nothing_decoded(path: str | os.PathLike[str]) -> MediaError:
    return MediaError(f"{path}: no frame could be decoded: the file is cut off or broken; export it again")


def _no_rate(path: str | os.PathLike[str]) -> MediaError:
    return MediaError(f"{path}: neither states its frame rate nor has time stamps; convert it to mp4 first")
