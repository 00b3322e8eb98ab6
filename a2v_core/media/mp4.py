"""Encoding and muxing of frames and sound into an mp4.

Legend: F video frames, H W height and width in pixels, C audio channels, N audio samples.
"""

from __future__ import annotations

import math
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import torch

from ..errors import MediaError
from .formats import aac_rate, frame_rate, to_uint8
from .resampling import resample
from .waveform import Waveform, checked_samples

AAC_PACKET = 1024
MATRIX_BT601, TRANSFER_BT709, PRIMARIES_BT709, RANGE_LIMITED = 6, 1, 1, 1


def write_video(
    path: str | os.PathLike[str],
    frames: torch.Tensor | Iterable[torch.Tensor],
    fps: float | Fraction,
    audio: Waveform | None = None,
    *,
    crf: int = 18,
) -> None:
    """Write frames [F, H, W, 3] in 0..1 and their sound as an mp4 (H.264 yuv420p, AAC) that browsers play.

    `frames` may also be an iterable of such chunks, all of one height and width; each is encoded as it comes,
    so a long video need not fit in memory. Odd heights and widths get one more pixel by repeating the edge,
    since yuv420p needs even ones. `crf` is x264's quality (0 lossless .. 51); colours are BT.601, tagged so.

    The sound starts with the picture and lasts exactly F / fps seconds, to the sample: silence is added or
    the end cut off. More than two channels are mixed to one; a sample rate that AAC lacks is resampled to the
    next. The file's edit list and durations say exactly F / fps, which players follow. AAC itself stores
    packets of 1024 samples after 1024 samples of priming; libraries on FFmpeg, like PyAV, drop the priming
    but return the last packet whole, so a decoded array can be up to 1023 samples of near-silence longer
    than F / fps.

    The file appears under its name only when complete: on an error, also in the iterable, or an interrupt,
    nothing new is left behind and an older file of that name stays.
    Raises MediaError: no frames, values that are not finite, a size that changes, a folder that is not there.
    """
    target = Path(path)
    if target.suffix.lower() not in (".mp4", ".m4v"):
        raise MediaError(f"{target}: the file name must end in .mp4 (H.264 and AAC in an mp4 are written).")
    if not target.parent.is_dir():
        raise MediaError(
            f"{target.parent}: the folder to write {target.name} into does not exist. Create it first."
        )
    if target.is_dir():
        raise MediaError(f"{target} is a folder: name a file in it.")
    rate = frame_rate(fps)
    sound = None if audio is None else _Sound.of(audio)
    partial = target.with_name(f".{target.stem[:64]}.{uuid.uuid4().hex}.part")
    writer = _Writer(partial, target, rate, sound, crf)
    try:
        for chunk in _chunks(frames):
            writer.add(to_uint8(chunk))
        writer.finish()
        os.replace(partial, target)
    finally:
        writer.abandon()
        partial.unlink(missing_ok=True)


def _chunks(frames: torch.Tensor | Iterable[torch.Tensor]) -> Iterable[torch.Tensor]:
    """A long tensor in pieces, so that its 8-bit copy stays small; anything else as it is."""
    if isinstance(frames, torch.Tensor):
        return frames.split(32) if frames.ndim == 4 else [frames]
    return frames


@dataclass(frozen=True)
class _Sound:
    samples: np.ndarray[Any, np.dtype[np.float32]]  # [C, N], C is 1 or 2
    sample_rate: int

    @classmethod
    def of(cls, audio: Waveform) -> _Sound:
        samples, rate = checked_samples(audio), audio.sample_rate
        if samples.shape[0] > 2:
            samples = samples.mean(0, keepdim=True)
        samples, rate = resample(samples, rate, aac_rate(rate)), aac_rate(rate)
        return cls(np.ascontiguousarray(samples.numpy()), rate)

    def part(self, start: int, stop: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Samples start..stop, silence past the end."""
        part = self.samples[:, start:stop]
        return np.pad(part, ((0, 0), (0, stop - start - part.shape[1])))


class _Writer:
    """An mp4 that is being written; opened at the first frames, which give the size."""

    def __init__(self, partial: Path, target: Path, rate: Fraction, sound: _Sound | None, crf: int) -> None:
        self.partial, self.target, self.rate, self.sound, self.crf = partial, target, rate, sound, crf
        self.frames = self.samples = 0
        self.size: tuple[int, int] | None = None
        self.container: Any = None

    def add(self, pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        """Encode frames uint8 [F, H, W, 3] and the sound up to their end."""
        size = (pixels.shape[1], pixels.shape[2])
        if self.size not in (None, size):
            raise MediaError(
                f"Frames change size from {self.size} to {size} (height, width): all must be alike."
            )
        try:
            if self.container is None and len(pixels) > 0:
                self._open(size)
            padding = ((0, 0), (0, size[0] % 2), (0, size[1] % 2), (0, 0))
            for image in np.pad(pixels, padding, mode="edge") if any(n % 2 for n in size) else pixels:
                self._add_image(image)
            if self.container is not None and self.sound is not None:
                self._add_sound(math.floor(self._samples_due() / AAC_PACKET) * AAC_PACKET)
        except av.error.FFmpegError as error:
            raise self._failure(error) from error

    def finish(self) -> None:
        """Complete the sound and the file."""
        if self.container is None:
            raise MediaError(f"{self.target.name}: there are no frames to write. Give at least one.")
        try:
            self.container.mux(self.video.encode(None))
            if self.sound is not None:
                self._add_sound(round(self._samples_due()))
                self.container.mux(self.track.encode(None))
            container, self.container = self.container, None
            container.close()
        except av.error.FFmpegError as error:
            raise self._failure(error) from error

    def abandon(self) -> None:
        """Close a file that will not be finished; nothing after `finish`."""
        container, self.container = self.container, None
        if container is not None:
            try:
                container.close()
            except av.error.FFmpegError:
                return  # the file goes away; the error that led here is the one to report

    def _open(self, size: tuple[int, int]) -> None:
        # Edit lists count in the movie's timescale, 1/1000 s by default; this one fits frames and samples.
        exact = math.lcm(self.rate.numerator, self.sound.sample_rate if self.sound else 1000)
        timescale = exact if exact <= 10_000_000 else (self.sound.sample_rate if self.sound else 90_000)
        options = {"movflags": "+faststart", "movie_timescale": str(timescale)}
        self.container = av.open(str(self.partial), "w", format="mp4", options=options)
        self.size = size
        self.video = self.container.add_stream("libx264", rate=self.rate, options={"crf": str(self.crf)})
        self.video.width, self.video.height = size[1] + size[1] % 2, size[0] + size[0] % 2
        self.video.pix_fmt = "yuv420p"
        codec = self.video.codec_context
        codec.time_base = 1 / self.rate
        codec.colorspace, codec.color_trc = MATRIX_BT601, TRANSFER_BT709
        codec.color_primaries, codec.color_range = PRIMARIES_BT709, RANGE_LIMITED
        if self.sound is not None:
            self.layout = "mono" if len(self.sound.samples) == 1 else "stereo"
            self.track = self.container.add_stream("aac", rate=self.sound.sample_rate, layout=self.layout)
            self.track.bit_rate = 128_000 if self.layout == "mono" else 192_000

    def _add_image(self, image: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU601", dst_color_range="MPEG")
        frame.pts, frame.time_base = self.frames, 1 / self.rate
        self.container.mux(self.video.encode(frame))
        self.frames += 1

    def _samples_due(self) -> Fraction:
        return Fraction(self.frames * self.track.codec_context.sample_rate) / self.rate

    def _add_sound(self, stop: int) -> None:
        assert self.sound is not None
        if stop <= self.samples:
            return
        frame = av.AudioFrame.from_ndarray(
            self.sound.part(self.samples, stop), format="fltp", layout=self.layout
        )
        frame.sample_rate = self.sound.sample_rate
        frame.pts, frame.time_base = self.samples, Fraction(1, self.sound.sample_rate)
        self.container.mux(self.track.encode(frame))
        self.samples = stop

    def _failure(self, error: av.error.FFmpegError) -> MediaError:
        return MediaError(
            f"{self.target}: the video cannot be written ({error.strerror}). Check disk space and rights. "
            f"Size is {self.size} (height, width), {self.rate} fps, crf {self.crf}."
        )
