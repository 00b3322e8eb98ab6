"""A clip of a file: pictures and sound of the same span of time, decoded by PyAV.

Picture i is what a player shows at start + i / fps, whatever the file's own rate, also where it varies.
Second 0 is the file's first picture, for the sound as well.

Legend: F video frames, H W height and width in pixels, C channels, N samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import torch
import torch.nn.functional as nnf
from av.stream import Disposition
from torch import Tensor

from a2v_core.audio import Waveform, load_audio
from a2v_core.errors import MediaError

from .items import Item

# Time stamps of some containers are whole milliseconds.
_TOLERANCE = 1.5e-3


@dataclass(frozen=True)
class Clip:
    """frames uint8 [F, H, W, 3]; sound [C, N] of exactly F / fps seconds; start in seconds of the file."""

    frames: Tensor
    sound: Waveform
    start: float


def read_clip(item: Item, start: float, num_frames: int, fps: float, width: int, height: int) -> Clip:
    """Cut a clip. MediaError when the file is broken, has no sound or ends before the clip does."""
    frames = read_frames(item.video, start, num_frames, fps, width, height)
    seconds = num_frames / fps
    sound = load_audio(item.sound, start=start, duration=seconds)
    wanted = round(seconds * sound.sample_rate)
    # A track may end a packet before the pictures do; more than a frame is a clip without its sound.
    if sound.samples.shape[1] < wanted - sound.sample_rate / fps:
        raise MediaError(
            f"{item.sound}: sound ends {sound.duration:.2f} s into the clip, which has {seconds:.2f} s"
        )
    samples = nnf.pad(sound.samples, (0, max(0, wanted - sound.samples.shape[1])))
    return Clip(frames, Waveform(samples[:, :wanted], sound.sample_rate), start)


def clip_start(length: float, clip_seconds: float, share: float) -> float:
    """A start in whole milliseconds, `share` (0..1) of the way to the last that fits; MediaError if none."""
    room = length - clip_seconds
    if room < -_TOLERANCE:
        raise MediaError(f"is {length:.2f} s long, a clip needs {clip_seconds:.2f} s")
    return math.floor(max(0.0, room) * share * 1000) / 1000


def common_length(item: Item) -> float:
    """Seconds of the file that have both picture and sound, from headers. MediaError if it has not both."""
    with _opened(item.video) as container:
        stream = _picture(container, item.video)
        video = _length(container, stream)
        if item.audio is None and not container.streams.audio:
            raise MediaError(f"{item.video}: has no sound track")
        audio = _length(container, container.streams.audio[0]) if item.audio is None else None
    if item.audio is not None:
        with _opened(item.audio) as container:
            if not container.streams.audio:
                raise MediaError(f"{item.audio}: has no sound")
            audio = _length(container, container.streams.audio[0])
    lengths = [length for length in (video, audio) if length is not None]
    if not lengths:
        raise MediaError(f"{item.video}: its header does not say how long it is; convert it to mp4")
    return min(lengths)


def read_frames(path: Path, start: float, num_frames: int, fps: float, width: int, height: int) -> Tensor:
    """Pictures at start, start + 1 / fps, ...: uint8 [F, H, W, 3], resized and cropped at the middle."""
    times = [start + number / fps for number in range(num_frames)]
    pictures: list[np.ndarray[Any, np.dtype[np.uint8]]] = []
    shown: Any = None
    end = 0.0
    with _opened(path) as container:
        stream = _picture(container, path)
        origin = float((stream.start_time or 0) * stream.time_base)
        # Other than 1 in old camera formats.
        aspect = float(stream.codec_context.sample_aspect_ratio or 1)
        if start > 1:
            container.seek(round((start + origin) / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            at = (frame.time if frame.time is not None else end + origin) - origin
            while len(pictures) < num_frames and times[len(pictures)] < at - _TOLERANCE and shown is not None:
                pictures.append(_to_size(shown, aspect, width, height))
            shown = frame
            end = at + _frame_seconds(frame, stream)
            if len(pictures) == num_frames:
                break
        while len(pictures) < num_frames and shown is not None and times[len(pictures)] < end + _TOLERANCE:
            pictures.append(_to_size(shown, aspect, width, height))
    if len(pictures) < num_frames:
        raise MediaError(f"{path}: pictures end at {end:.2f} s, a clip needs them up to {times[-1]:.2f} s")
    return torch.from_numpy(np.stack(pictures))


def _to_size(frame: Any, aspect: float, width: int, height: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Scale to cover width x height, keep the middle. `aspect`: width of a pixel over its height."""
    image = frame.to_ndarray(format="rgb24", interpolation="BICUBIC")
    turns = round(frame.rotation / 90) % 4 if math.isfinite(frame.rotation) else 0
    pixels = torch.from_numpy(np.rot90(image, turns).copy()).permute(2, 0, 1)[None]
    source = (pixels.shape[3] * (1 / aspect if turns % 2 else aspect), pixels.shape[2])
    scale = max(width / source[0], height / source[1])
    size = (max(height, round(source[1] * scale)), max(width, round(source[0] * scale)))
    if size != tuple(pixels.shape[2:]):
        pixels = nnf.interpolate(pixels, size, mode="bilinear", antialias=True)
    left, top = (size[1] - width) // 2, (size[0] - height) // 2
    cropped = pixels[0, :, top : top + height, left : left + width]
    return cropped.permute(1, 2, 0).contiguous().numpy()


def _frame_seconds(frame: Any, stream: Any) -> float:
    if frame.duration:
        return float(frame.duration * frame.time_base)
    return float(1 / stream.average_rate) if stream.average_rate else 0.0


def _length(container: Any, stream: Any) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def _picture(container: Any, path: Path) -> Any:
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise MediaError(f"{path}: has no pictures")
    return streams[0]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise MediaError(f"{path}: no such file")
    try:
        # Some formats are lists of other files: nothing but the disk is ever asked.
        with av.open(
            str(path), options={"protocol_whitelist": "file"}, metadata_errors="ignore"
        ) as container:
            yield container
    except av.error.FFmpegError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror}): damaged or no video") from error
