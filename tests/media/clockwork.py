"""Files whose truth is known: clicks in the sound, flashes in the picture, packets missing, late starts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

CLICK_SECONDS = 0.06  # longer than a packet, so that one that is half lost is still one click
SIDE = 32
OPTIONS = {"libx264": {"preset": "ultrafast"}, "libvpx": {"cpu-used": "8", "deadline": "realtime"}}


@dataclass(frozen=True)
class Sound:
    """codec, sample rate in Hz, seconds; spans in seconds whose packets are left out; start in seconds."""

    codec: str
    rate: int
    seconds: float
    clicks: tuple[float, ...]
    gaps: tuple[tuple[float, float], ...] = ()
    start: float = 0.0


@dataclass(frozen=True)
class Picture:
    """codec; the times in seconds at which frames are shown, ascending; those at which it flashes."""

    codec: str
    times: tuple[float, ...]
    flashes: tuple[float, ...]
    fps: Fraction


def click_track(sound: Sound) -> NDArray[np.float32]:
    """Mono samples [1, N]: bursts of a tone that begin at full loudness."""
    samples = np.zeros(round(sound.seconds * sound.rate), np.float32)
    burst = 0.7 * np.sin(2 * np.pi * 1000 * (np.arange(round(CLICK_SECONDS * sound.rate)) + 6) / sound.rate)
    for click in sound.clicks:
        at = round(click * sound.rate)
        samples[at : at + len(burst)] = burst[: max(0, len(samples) - at)]
    return samples[None]


def write(
    path: Path, sound: Sound, picture: Picture | None = None, options: dict[str, str] | None = None
) -> None:
    """Encode both; a packet of the sound whose time lies in a gap is never written."""
    with av.open(str(path), "w", options=options or {}) as container:
        track: Any = container.add_stream(sound.codec, rate=sound.rate, layout="mono")
        track.codec_context.open()
        video = None if picture is None else _add_video(container, picture)
        packets = [] if picture is None else _video_packets(video, picture)
        packets += [packet for packet in _sound_packets(track, sound) if not _lost(packet, sound)]
        container.start_encoding()
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)


def _add_video(container: Any, picture: Picture) -> Any:
    stream = container.add_stream(picture.codec, rate=picture.fps, options=OPTIONS.get(picture.codec, {}))
    stream.width = stream.height = SIDE
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = Fraction(1, 90_000)
    stream.time_base = Fraction(1, 90_000)
    stream.codec_context.open()
    return stream


def _video_packets(stream: Any, picture: Picture) -> list[Any]:
    packets = []
    for time in picture.times:
        lit = any(flash <= time + 1e-6 for flash in picture.flashes)
        count = sum(flash <= time + 1e-6 for flash in picture.flashes)
        level = 40 + 60 * (count % 4) if lit else 40
        frame = av.VideoFrame.from_ndarray(np.full((SIDE, SIDE, 3), level, np.uint8), format="rgb24")
        frame.pts, frame.time_base = round(time * 90_000), Fraction(1, 90_000)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def _sound_packets(track: Any, sound: Sound) -> list[Any]:
    samples = click_track(sound)
    resampler = av.AudioResampler(format=track.codec_context.format.name, layout="mono", rate=sound.rate)
    size = track.codec_context.frame_size or 1024
    packets = []
    for start in range(0, samples.shape[1], size):
        part = np.ascontiguousarray(samples[:, start : start + size])
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate, frame.time_base = sound.rate, Fraction(1, sound.rate)
        frame.pts = start + round(sound.start * sound.rate)
        for converted in resampler.resample(frame):
            packets += track.encode(converted)
    return packets + track.encode(None)


def _lost(packet: Any, sound: Sound) -> bool:
    at = float(packet.pts * packet.time_base) - sound.start
    return any(first <= at < last for first, last in sound.gaps)


def clicks_in(samples: NDArray[np.float32], rate: int) -> list[float]:
    """Seconds at which clicks begin: the first loud sample after 0.15 s of quiet."""
    loud = np.abs(samples).max(axis=0)
    at = np.flatnonzero(loud > 0.3)
    return [float(t) / rate for t in at[np.r_[True, np.diff(at) > 0.15 * rate]]] if len(at) else []


def heard(sound: Sound) -> list[float]:
    """Clicks that stand alone: none of their packets is missing, and they are not just after a gap, where a
    decoder still holds what it heard before the gap.
    """
    return [
        click
        for click in sound.clicks
        if not any(first - 0.15 < click < last + 0.3 for first, last in sound.gaps)
    ]
