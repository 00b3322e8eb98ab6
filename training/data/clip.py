"""Cuts a clip from a file: frames and sound of the same span of time, decoded by PyAV.

Frame i is the one that a player shows at start + i / fps, whatever the file's own rate, also where it varies.
Second 0 is the file's first picture, for the sound as well.

Legend: F video frames, H W height and width in pixels, C channels, N samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from a2v_core import media
from a2v_core.errors import MediaError
from a2v_core.stores import at_hand

from .items import Item

# Time stamps of some containers are whole milliseconds.
_TOLERANCE = 1.5e-3


@dataclass(frozen=True)
class Clip:
    """frames uint8 [F, H, W, 3]; sound [C, N] of exactly F / fps seconds; start in seconds of the file."""

    frames: Tensor
    sound: media.Waveform
    start: float


def read_clip(item: Item, start: float, num_frames: int, fps: float, width: int, height: int) -> Clip:
    """Cut a clip. MediaError when the file is broken, has no sound or ends before the clip does."""
    seconds = num_frames / fps
    with at_hand(item.video) as path:
        frames = read_frames(path, start, num_frames, fps, width, height)
    with at_hand(item.sound) as path:
        sound = media.load_audio(path, start=start, duration=seconds)
    num_samples = round(seconds * sound.sample_rate)
    # A track may end a packet before the pictures do; a gap of more than a frame is an error.
    if sound.samples.shape[1] < num_samples - sound.sample_rate / fps:
        raise MediaError(
            f"{item.sound}: sound ends {sound.duration:.2f} s into the clip, which has {seconds:.2f} s"
        )
    samples = nnf.pad(sound.samples, (0, max(0, num_samples - sound.samples.shape[1])))
    return Clip(frames, media.Waveform(samples[:, :num_samples], sound.sample_rate), start)


def clip_start(span: media.Span, clip_seconds: float, share: float) -> float:
    """A start time in whole milliseconds, at `share` (0..1) of the range that the span allows. MediaError if
    the span is too short.
    """
    first = math.ceil(span.start * 1000) / 1000
    room = span.end - first - clip_seconds
    if room < -_TOLERANCE:
        raise MediaError(
            f"has picture and sound for {span.end - span.start:.2f} s, a clip needs {clip_seconds:.2f} s"
        )
    return first + math.floor(max(0.0, room) * share * 1000) / 1000


def common_span(item: Item) -> media.Span:
    """The time span with both frames and sound, from packet timestamps. MediaError if one is missing."""
    with at_hand(item.video) as path:
        pictures = media.file_facts(path).pictures
        if pictures is None:
            _lacks(path, media.picture_stream, "no frame can be read: it is cut off or broken")
    with at_hand(item.sound) as path:
        sound = media.file_facts(path).sound
        if sound is None:
            _lacks(path, media.sound_stream, "has no sound in its sound track")
    return media.Span(max(pictures.start, sound.start), min(pictures.end, sound.end))


def _lacks(path: Path, stream_of: Callable[[Any, Path], Any], why: str) -> NoReturn:
    """MediaError for a file without a stream, or with one that holds nothing."""
    with media.open_media(path) as container:
        stream_of(container, path)
    raise MediaError(f"{path}: {why}")


def read_frames(path: Path, start: float, num_frames: int, fps: float, width: int, height: int) -> Tensor:
    """Frames at start, start + 1 / fps, ...: uint8 [F, H, W, 3], resized and centre-cropped."""
    times = [start + number / fps for number in range(num_frames)]
    pictures: list[media.Pixels] = []
    shown: Any = None
    aspect = 1.0
    for at, frame, aspect in media.frames_from(path, start):
        while len(pictures) < num_frames and times[len(pictures)] < at - _TOLERANCE and shown is not None:
            pictures.append(_to_size(shown, aspect, width, height))
        if len(pictures) == num_frames:
            break
        shown = frame
    span = media.file_facts(path).pictures
    end = span.end if span is not None else 0.0
    while len(pictures) < num_frames and shown is not None and times[len(pictures)] < end + _TOLERANCE:
        pictures.append(_to_size(shown, aspect, width, height))
    if len(pictures) < num_frames:
        raise MediaError(f"{path}: pictures end at {end:.2f} s, a clip needs them up to {times[-1]:.2f} s")
    return torch.from_numpy(np.stack(pictures))


def _to_size(frame: Any, aspect: float, width: int, height: int) -> media.Pixels:
    """Resize to cover width x height, then centre-crop. `aspect`: pixel aspect ratio."""
    image = frame.to_ndarray(format="rgb24", interpolation="BICUBIC")
    turns = media.quarter_turns(frame)
    pixels = torch.from_numpy(np.rot90(image, turns).copy()).permute(2, 0, 1)[None]
    source = (pixels.shape[3] * (1 / aspect if turns % 2 else aspect), pixels.shape[2])
    scale = max(width / source[0], height / source[1])
    size = (max(height, round(source[1] * scale)), max(width, round(source[0] * scale)))
    if size != tuple(pixels.shape[2:]):
        pixels = nnf.interpolate(pixels, size, mode="bilinear", antialias=True)
    left, top = (size[1] - width) // 2, (size[0] - height) // 2
    cropped = pixels[0, :, top : top + height, left : left + width]
    return cropped.permute(1, 2, 0).contiguous().numpy()
