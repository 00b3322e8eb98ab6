"""Decoding of a sound track, packet by packet, into blocks of float samples with their positions.

Second 0 of a sound file is its first sample; that of a video is its first frame, which keeps both in sync.

Legend: C channels, N samples.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.plane import AudioPlane
from av.container import InputContainer
from av.error import FFmpegError, PatchWelcomeError
from numpy.typing import NDArray

from ..errors import MediaError
from .clock import Placed, Stamped, check_jump, place_blocks
from .facts import picture_origin
from .integrity import MP4, Ending, declared_end, padding, why_cut
from .opener import open_media, packets, sound_stream, time_base

_LOG = logging.getLogger(__name__)
# Containers whose time stamps are exact to the sample, also after a seek (Matroska's are whole milliseconds).
_EXACT_SEEK = ("wav", "w64", "aiff", "flac", "mp3", "ogg", MP4)
# Formats of nothing but numbered frames: a missing one means damage.
_NO_GAPS = ("flac", "wv", "tta", "ape")
_SILENCE_BLOCK_SECONDS = 10

_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}


class Block(NamedTuple):
    """Decoded float32 [C, N] at `rate` Hz; `position` is the index of the first sample from second 0."""

    position: int
    samples: NDArray[np.float32]
    rate: int


def sound_blocks(path: str | os.PathLike[str], seek: float | None = None) -> Iterator[Block]:
    """The first sound track of a file that can be decoded, from its start to its end.

    seek  begin somewhere before that many seconds; gives no blocks where seeking is not exact to the sample
    MediaError for a file without such a track, at a damaged packet, for a sample rate that changes, and at
    the end of a file that ends early.
    """
    with open_media(path) as container:
        track = _Track(container, Path(path))
        if seek is not None and not track.seek(seek):
            return
        yield from track.blocks()


def without_gaps(blocks: Iterator[Block], path: str | os.PathLike[str], first: int = 0) -> Iterator[Block]:
    """Every sample from index `first` on: gaps become silence, earlier samples are dropped.

    MediaError for a gap of more than an hour.
    """
    next_index = first
    for position, samples, rate in blocks:
        check_jump((position - next_index) / rate, next_index / rate, "sound", path)
        while next_index < position:
            size = min(position - next_index, _SILENCE_BLOCK_SECONDS * rate)
            yield Block(next_index, np.zeros((len(samples), size), np.float32), rate)
            next_index += size
        if position + samples.shape[1] > next_index:
            yield Block(next_index, samples[:, next_index - position :], rate)
            next_index = position + samples.shape[1]


class _Track:
    """Decoder of the sound track of an open file."""

    def __init__(self, container: InputContainer, path: Path) -> None:
        self.path = path
        self.container = container
        self.stream = sound_stream(container, path)
        self.format = container.format.name
        self.base = time_base(self.stream)
        self.video_start = picture_origin(path, container)
        self.seeked = False
        self.rate = 0
        self.origin = Fraction(0)
        self.samples = 0  # decoded so far
        self.ending = Ending()

    def seek(self, seconds: float) -> bool:
        """Seek to somewhere before `seconds`; False where seeking is not exact to the sample."""
        if self.format not in _EXACT_SEEK or self.base * self.stream.rate > 1:
            return False
        target = Fraction(seconds) + self._find_origin(self.stream.start_time or 0)
        self.seeked = True
        self.container.seek(round(target / self.base), stream=self.stream)
        return True

    def blocks(self) -> Iterator[Block]:
        frames = self._frames()
        first = next(frames, None)
        if first is None or (self.seeked and first.pts is None):
            self._check_end()
            return
        self.rate = first.sample_rate
        pts = first.pts or 0
        self.origin = self._find_origin((self.stream.start_time or 0) if self.seeked else pts)
        placed = place_blocks(self._stamped(first, frames), self.rate, float(self.base * self.rate))
        end: int | None = None
        for position, samples in self._without_padding(placed):
            if self.format in _NO_GAPS and end is not None and position > end:
                raise self._damaged(end / self.rate)
            end = position + samples.shape[1]
            yield Block(position, samples, self.rate)

    def _find_origin(self, first: int) -> Fraction:
        """Second 0 in the file's own time; `first` is the time stamp of the first sample."""
        if self.video_start is not None:
            return self.video_start
        # Encoder priming lies before 0.
        return max(first, 0) * self.base

    def _frames(self) -> Iterator[AudioFrame]:
        """Decoded frames. MediaError at the first one after a damaged packet."""
        failed = False
        try:
            for packet in packets(self.container):
                if not self.ending.add(packet, self.stream.index):
                    continue
                try:
                    frames: Any = packet.decode()
                except FFmpegError as error:
                    at = float((packet.pts or 0) * self.base)
                    _LOG.warning("%s: a packet near %.2f s cannot be decoded: %s", self.path, at, error)
                    failed = True
                    continue
                # MP3s with a tag between two packets are common and play well.
                if frames and failed and self.format != "mp3" and not (self.seeked and not self.samples):
                    raise self._damaged(self._decoded_seconds())
                failed = failed and not frames
                yield from frames
        except PatchWelcomeError as error:
            raise MediaError(
                f"{self.path}: the sample rate changes at {self._decoded_seconds():.2f} s, or the codec does "
                "(several recordings in one file, such as a radio stream); export it as WAV first, or choose "
                "a part before that"
            ) from error
        self.ending.failed = failed

    def _stamped(self, first: AudioFrame, rest: Iterator[AudioFrame]) -> Iterator[Stamped]:
        frame: AudioFrame | None = first
        while frame is not None:
            if frame.sample_rate != self.rate:
                raise MediaError(
                    f"{self.path}: the sample rate changes at {self._decoded_seconds():.2f} s from "
                    f"{self.rate} to {frame.sample_rate} Hz; export it as WAV first, or choose a part before "
                    "that"
                )
            stamp = None if frame.pts is None else float((frame.pts * self.base - self.origin) * self.rate)
            samples = _to_float(frame)
            self.samples += samples.shape[1]
            yield Stamped(stamp, samples)
            frame = next(rest, None)
        self._check_end()

    def _without_padding(self, blocks: Iterator[Placed]) -> Iterator[Placed]:
        """An MP4's last packets are padded beyond its declared end; where more samples follow than padding,
        the declared end is wrong, and all are kept.
        """
        end = declared_end(self.stream) if self.format == MP4 else None
        limit = None if end is None else round((end - float(self.origin)) * self.rate)
        beyond: list[Placed] = []
        for block in blocks:
            stop = block.position + block.samples.shape[1]
            if limit is None or stop <= limit:
                yield block
            elif stop - limit > padding(self.rate) * self.rate:
                yield from beyond
                yield block
                limit, beyond = None, []
            else:
                beyond.append(block)
        for block in beyond:
            kept = block.samples[:, : max(0, (limit or 0) - block.position)]
            if kept.shape[1]:
                yield Placed(block.position, kept)

    def _check_end(self) -> None:
        duration = (self.container.duration or 0) / 1e6
        if not self.ending.packets and (self.ending.file_end or 0.0) > duration - padding(0):
            raise MediaError(f"{self.path}: has a sound track, but no sound in it; choose another file")
        why = why_cut(self.path, self.container, self.stream, self.ending, self.rate or self.stream.rate)
        if why:
            raise MediaError(
                f"{self.path}: cut off after {self._decoded_seconds():.2f} s of sound ({why}); "
                "copy or download it again, or set a duration that ends before that"
            )

    def _damaged(self, seconds: float) -> MediaError:
        return MediaError(
            f"{self.path}: damaged near {seconds:.2f} s; copy or export it again, "
            "or choose a part before that"
        )

    def _decoded_seconds(self) -> float:
        return self.samples / (self.rate or 1)


def _to_float(frame: AudioFrame) -> NDArray[np.float32]:
    """Samples of any FFmpeg format as float32 [C, N], full scale -1..1."""
    channels = frame.layout.nb_channels
    dtype = np.dtype(_DTYPES[frame.format.packed.name])
    # Neither to_ndarray nor frame.planes: at 8 planar channels PyAV counts one plane too many. Versions 14
    # to 18 read beyond the last, 19 raises.
    raw: NDArray[Any]
    if frame.format.is_planar:
        planes: list[Any] = [AudioPlane(frame, channel) for channel in range(channels)]
        raw = np.stack([np.frombuffer(plane, dtype, frame.samples) for plane in planes])
    else:
        packed: Any = AudioPlane(frame, 0)
        raw = np.frombuffer(packed, dtype, frame.samples * channels).reshape(-1, channels).T
    if raw.dtype.kind in "iu":
        half_range = np.float32(2.0 ** (8 * raw.dtype.itemsize - 1))
        middle = half_range if raw.dtype.kind == "u" else np.float32(0)
        return (raw.astype(np.float32) - middle) * (np.float32(1) / half_range)
    with np.errstate(over="ignore"):  # doubles beyond float32 become infinite, which the caller refuses
        samples: NDArray[np.float32] = raw.astype(np.float32)
    return samples
