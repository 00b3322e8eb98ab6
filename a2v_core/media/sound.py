"""One sound track, packet by packet, as blocks of float samples that know their place.

Second 0 of a sound file is its first sample. Second 0 of a video is its first picture, so that sound and
picture stay together.

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
# Containers whose timestamps name a sample, also after a seek (Matroska's, for one, are whole milliseconds).
_EXACT_SEEK = ("wav", "w64", "aiff", "flac", "mp3", "ogg", MP4)
# Their frames are numbered and nothing else is in the file: a number that is missing is damage.
_NO_GAPS = ("flac", "wv", "tta", "ape")
_SILENCE_AT_ONCE = 10  # seconds

_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}


class Block(NamedTuple):
    """Decoded float32 [C, N] at `rate` Hz; the first sample is number `position` from second 0 (or < 0)."""

    position: int
    samples: NDArray[np.float32]
    rate: int


def sound_blocks(path: str | os.PathLike[str], seek: float | None = None) -> Iterator[Block]:
    """The first sound track of a file that can be decoded, to its end, in ascending places.

    seek  begin somewhere before that many seconds; no block comes where that could miss by a sample
    MediaError for a file without such a track, at a damaged packet, for a sample rate that changes, and at
    the end of a file that ends early.
    """
    with open_media(path) as container:
        track = _Track(container, Path(path))
        if seek is not None and not track.seek(seek):
            return
        yield from track.blocks()


def without_gaps(blocks: Iterator[Block], path: str | os.PathLike[str], first: int = 0) -> Iterator[Block]:
    """Every sample from number `first` on: gaps become silence, what lies before is left out.

    MediaError for a gap of more than an hour.
    """
    at = first
    for position, samples, rate in blocks:
        check_jump((position - at) / rate, at / rate, "sound", path)
        while at < position:
            size = min(position - at, _SILENCE_AT_ONCE * rate)
            yield Block(at, np.zeros((len(samples), size), np.float32), rate)
            at += size
        if position + samples.shape[1] > at:
            yield Block(at, samples[:, at - position :], rate)
            at = position + samples.shape[1]


class _Track:
    """The sound track of an open file on its way through the decoder."""

    def __init__(self, container: InputContainer, path: Path) -> None:
        self.path = path
        self.container = container
        self.stream = sound_stream(container, path)
        self.format = container.format.name
        self.base = time_base(self.stream)
        self.picture = picture_origin(path, container)
        self.seeked = False
        self.rate = 0
        self.origin = Fraction(0)
        self.samples = 0  # decoded so far
        self.ending = Ending()

    def seek(self, seconds: float) -> bool:
        """Go somewhere before `seconds`; False where that could miss by a sample."""
        if self.format not in _EXACT_SEEK or self.base * self.stream.rate > 1:
            return False
        target = Fraction(seconds) + self._second_0(self.stream.start_time or 0)
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
        self.origin = self._second_0((self.stream.start_time or 0) if self.seeked else pts)
        placed = place_blocks(self._stamped(first, frames), self.rate, float(self.base * self.rate))
        end: int | None = None
        for position, samples in self._without_padding(placed):
            if self.format in _NO_GAPS and end is not None and position > end:
                raise self._damaged(end / self.rate)
            end = position + samples.shape[1]
            yield Block(position, samples, self.rate)

    def _second_0(self, first: int) -> Fraction:
        """Second 0 on the file's clock; `first` is the time stamp of the first sample."""
        if self.picture is not None:
            return self.picture
        # What an encoder needed to get going lies before 0 and is no sound.
        return max(first, 0) * self.base

    def _frames(self) -> Iterator[AudioFrame]:
        """Decoded frames. MediaError at the first one after a damaged packet."""
        failed = False
        try:
            for packet in packets(self.container):
                if not self.ending.see(packet, self.stream.index):
                    continue
                try:
                    frames: Any = packet.decode()
                except FFmpegError as error:
                    at = float((packet.pts or 0) * self.base)
                    _LOG.warning("%s: a packet near %.2f s cannot be decoded: %s", self.path, at, error)
                    failed = True
                    continue
                # MP3s with a stray tag between two packets are common and play well.
                if frames and failed and self.format != "mp3" and not (self.seeked and not self.samples):
                    raise self._damaged(self._seconds())
                failed = failed and not frames
                yield from frames
        except PatchWelcomeError as error:
            raise MediaError(
                f"{self.path}: the sample rate changes at {self._seconds():.2f} s, or the codec does "
                "(several recordings in one file, such as a radio stream); export it as WAV first, or choose "
                "a part before that"
            ) from error
        self.ending.failed = failed

    def _stamped(self, first: AudioFrame, rest: Iterator[AudioFrame]) -> Iterator[Stamped]:
        frame: AudioFrame | None = first
        while frame is not None:
            if frame.sample_rate != self.rate:
                raise MediaError(
                    f"{self.path}: the sample rate changes at {self._seconds():.2f} s from {self.rate} to "
                    f"{frame.sample_rate} Hz; export it as WAV first, or choose a part before that"
                )
            stamp = None if frame.pts is None else float((frame.pts * self.base - self.origin) * self.rate)
            samples = _to_float(frame)
            self.samples += samples.shape[1]
            yield Stamped(stamp, samples)
            frame = next(rest, None)
        self._check_end()

    def _without_padding(self, blocks: Iterator[Placed]) -> Iterator[Placed]:
        """An MP4's last packets are padded beyond the end that it declares; where more comes than that, the
        declared end is wrong, and everything is kept.
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
        whole = (self.container.duration or 0) / 1e6
        if not self.ending.packets and (self.ending.any or 0.0) > whole - padding(0):
            raise MediaError(f"{self.path}: has a sound track, but no sound in it; choose another file")
        why = why_cut(self.path, self.container, self.stream, self.ending, self.rate or self.stream.rate)
        if why:
            raise MediaError(
                f"{self.path}: cut off after {self._seconds():.2f} s of sound ({why}); "
                "copy or download it again, or set a duration that ends before that"
            )

    def _damaged(self, seconds: float) -> MediaError:
        return MediaError(
            f"{self.path}: damaged near {seconds:.2f} s; copy or export it again, "
            "or choose a part before that"
        )

    def _seconds(self) -> float:
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
