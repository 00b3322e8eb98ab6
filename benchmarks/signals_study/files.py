"""Ten minutes of bursts in files of several kinds: by sample rate, as mp3, and with packets missing."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

SECONDS = 600.0
BURST_SECONDS = 0.06
GAP = (200.0, 260.0)  # seconds whose packets are missing
_AFTER_GAP = 0.3  # a decoder still holds what it heard before

Made = tuple[Path, list[float]]


def hit_times() -> list[float]:
    """Random times, 0.2 to 1.6 s apart."""
    rng = np.random.default_rng(12)
    times = np.cumsum(rng.uniform(0.2, 1.6, 1000))
    return [float(time) for time in times if 0.3 < time < SECONDS - 1]


def _made(codec: str, ending: str, rate: int, gap: bool = False) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        times = [round(time * rate) / rate for time in hit_times()]
        path = folder / f"ten_minutes.{ending}"
        _encode(path, _bursts(times, rate), codec, rate, GAP if gap else None)
        if gap:
            times = [time for time in times if not GAP[0] - 0.15 < time < GAP[1] + _AFTER_GAP]
        return path, times

    return make


FILES: dict[str, Callable[[Path], Made]] = {
    "wav 44.1 kHz": _made("pcm_s16le", "wav", 44100),
    "wav 48 kHz": _made("pcm_s16le", "wav", 48000),
    "wav 96 kHz": _made("pcm_s16le", "wav", 96000),
    "mp3 44.1 kHz": _made("libmp3lame", "mp3", 44100),
    "aac 48 kHz, a minute missing": _made("aac", "mp4", 48000, gap=True),
}


def _bursts(times: list[float], rate: int) -> Any:
    samples = np.zeros(round(SECONDS * rate), np.float32)
    burst = 0.7 * np.sin(2 * np.pi * 1000 * (np.arange(round(BURST_SECONDS * rate)) + 6) / rate)
    for time in times:
        at = round(time * rate)
        samples[at : at + len(burst)] = burst
    return samples[None]


def _encode(path: Path, samples: Any, codec: str, rate: int, gap: tuple[float, float] | None) -> None:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate, layout="mono")
        stream.codec_context.open()
        resampler = av.AudioResampler(format=stream.codec_context.format.name, layout="mono", rate=rate)
        size = stream.codec_context.frame_size or 4096
        container.start_encoding()
        for start in range(0, samples.shape[1], size):
            part = np.ascontiguousarray(samples[:, start : start + size])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), start
            for converted in resampler.resample(frame):
                _mux(container, stream.encode(converted), gap)
        _mux(container, stream.encode(None), gap)


def _mux(container: Any, packets: list[Any], gap: tuple[float, float] | None) -> None:
    for packet in packets:
        if gap is None or not gap[0] <= float(packet.pts * packet.time_base) < gap[1]:
            container.mux(packet)
