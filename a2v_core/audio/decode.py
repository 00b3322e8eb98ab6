"""One sound track, packet by packet, as blocks of float samples that know their place.

Second 0 of a sound file is its first sample. Second 0 of a video is its first picture, so that sound and
picture stay together.
"""

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from numpy.typing import NDArray

from ..errors import MediaError
from .integrity import MP4, declared_end, ends_early

_LOG = logging.getLogger(__name__)
# Containers whose timestamps name a sample, also after a seek (Matroska's, for one, are whole milliseconds).
_EXACT_SEEK = ("wav", "w64", "aiff", "flac", "mp3", "ogg", MP4)

_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}


class Block(NamedTuple):
    """Decoded float32 [C, N] at `rate` Hz; the first sample is number `position` from second 0 (or < 0)."""

    position: int
    samples: NDArray[np.float32]
    rate: int


class Track:
    """The first sound track of an open file. Raises MediaError when there is none."""

    def __init__(self, container: InputContainer, path: Path) -> None:
        if not container.streams.audio:
            what = "a video or picture without sound" if container.streams.video else "a file without sound"
            raise MediaError(f"{path}: is {what}; choose a file with a sound track")
        self.path = path
        self.container = container
        self.stream: AudioStream = container.streams.audio[0]
        self.format = container.format.name
        self.base = Fraction(self.stream.time_base or 1)
        self.seeked = False

    def seek(self, seconds: float) -> bool:
        """Go somewhere before `seconds`; False where that could miss by a sample."""
        if self.format not in _EXACT_SEEK or self.base * self.stream.rate > 1:
            return False
        target = Fraction(seconds) + self._origin(self.stream.start_time or 0)
        self.seeked = True
        self.container.seek(round(target / self.base), stream=self.stream)
        return True

    def blocks(self) -> Iterator[Block]:
        """Decode to the end. Raises MediaError at a damaged packet and for a file that ends early."""
        origin = Fraction(0)
        position = rate = 0
        failed = False
        for packet in self.container.demux(self.stream):
            try:
                frames = packet.decode()
            except FFmpegError as error:
                at = float((packet.pts or 0) * self.base)
                _LOG.warning("%s: a packet near %.2f s cannot be decoded: %s", self.path, at, error)
                failed = True
                continue
            for frame in frames:
                if not rate and self.seeked and frame.pts is None:
                    return
                if not rate:
                    rate = frame.sample_rate
                    pts = frame.pts or 0
                    origin = self._origin((self.stream.start_time or 0) if self.seeked else pts)
                    position = round((pts * self.base - origin) * rate)
                    failed = failed and not self.seeked
                self._check(frame, rate, failed, position)
                samples = _to_float(frame)
                yield Block(position, samples[:, : self._declared_left(origin, rate, position)], rate)
                position += samples.shape[1]
        end = position / rate + float(origin) if rate else 0.0
        if ends_early(self.path, self.container, self.stream, end, rate or self.stream.rate, failed):
            raise MediaError(
                f"{self.path}: cut off after {position / (rate or 1):.2f} s of sound; "
                "copy or download it again, or set a duration that ends before that"
            )

    def _origin(self, first: int) -> Fraction:
        """Second 0 on the file's clock; `first` is the time stamp of the first sample."""
        for video in self.container.streams.video:
            if not video.disposition & Disposition.attached_pic and video.start_time is not None:
                return video.start_time * Fraction(video.time_base or 1)
        # What an encoder needed to get going lies before 0 and is no sound.
        return max(first, 0) * self.base

    def _declared_left(self, origin: Fraction, rate: int, position: int) -> int | None:
        """Samples from `position` to the end that an MP4 declares: its last packet is padded."""
        end = declared_end(self.stream) if self.format == MP4 else None
        return None if end is None else max(0, round((end - float(origin)) * rate) - position)

    def _check(self, frame: AudioFrame, rate: int, failed: bool, position: int) -> None:
        if frame.sample_rate != rate:
            raise MediaError(f"{self.path}: the sample rate changes within the sound; export it as WAV first")
        # MP3s with a stray tag between two packets are common and play well.
        if failed and self.format != "mp3":
            raise MediaError(
                f"{self.path}: damaged near {position / rate:.2f} s; copy or export it again, "
                "or choose a part before that"
            )


def _to_float(frame: AudioFrame) -> NDArray[np.float32]:
    """Samples of any FFmpeg format as float32 [C, N], full scale -1..1."""
    channels = frame.layout.nb_channels
    dtype = np.dtype(_DTYPES[frame.format.packed.name])
    # Not to_ndarray: from 8 planar channels on, PyAV (14 to 18) reads one plane too many and crashes.
    planes: Any = frame.planes
    raw: NDArray[Any]
    if frame.format.is_planar:
        raw = np.stack([np.frombuffer(plane, dtype, frame.samples) for plane in planes[:channels]])
    else:
        raw = np.frombuffer(planes[0], dtype, frame.samples * channels).reshape(-1, channels).T
    if raw.dtype.kind in "iu":
        half_range = np.float32(2.0 ** (8 * raw.dtype.itemsize - 1))
        middle = half_range if raw.dtype.kind == "u" else np.float32(0)
        return (raw.astype(np.float32) - middle) * (np.float32(1) / half_range)
    with np.errstate(over="ignore"):  # doubles beyond float32 become infinite, which the caller refuses
        samples: NDArray[np.float32] = raw.astype(np.float32)
    return samples
