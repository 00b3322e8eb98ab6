"""Sound and video files written by PyAV while the tests run."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
PICTURE_FPS = 12

Samples = NDArray[np.float32]


def sweep(rate: int, channels: int, seconds: float) -> Samples:
    """Rising tones, another in each channel: no two moments and no two channels look alike. [C, N]."""
    t = np.arange(round(rate * seconds)) / rate
    base = rate / 60
    tones = [0.5 * np.sin(2 * np.pi * (base * t + base / 4 * t * t + 15 * c * t)) for c in range(channels)]
    return np.stack(tones).astype(np.float32)


def write_sound(
    path: Path,
    samples: Samples,
    rate: int,
    codec: str,
    sample_format: str | None = None,
    pictures_from: float | None = None,
    sound_from: float = 0.0,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode [C, N] to a file; with `pictures_from`, a video whose first picture stands at that second."""
    layout = LAYOUTS[len(samples)]
    with av.open(str(path), "w", options=options or {}) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout=layout)
        if sample_format:
            stream.codec_context.format = sample_format
        if codec == "vorbis":
            stream.codec_context.options = {"strict": "experimental"}
        stream.codec_context.open()
        if pictures_from is not None:
            _write_pictures(container, samples.shape[1] / rate, pictures_from)
        container.start_encoding()
        resampler = av.AudioResampler(format=stream.codec_context.format.name, layout=layout, rate=rate)
        size = stream.codec_context.frame_size or 4096
        for start in range(0, samples.shape[1], size):
            # Interleaved: PyAV cannot take 8 planes.
            part = np.ascontiguousarray(samples[:, start : start + size].T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(part, format="flt", layout=layout)
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = start + round(sound_from * rate)
            for converted in resampler.resample(frame):
                container.mux(stream.encode(converted))
        container.mux(stream.encode(None))
    return path


def write_silent_video(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        _write_pictures(container, 0.5, 0.0)
    return path


def _write_pictures(container: Any, seconds: float, first: float) -> None:
    codec = "libvpx" if container.format.name == "webm" else "mpeg4"
    stream = container.add_stream(codec, rate=PICTURE_FPS)
    stream.width = stream.height = 32
    stream.pix_fmt = "yuv420p"
    for number in range(round(seconds * PICTURE_FPS)):
        picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), number % 256, np.uint8), format="rgb24")
        picture.pts = number + round(first * PICTURE_FPS)
        picture.time_base = Fraction(1, PICTURE_FPS)
        container.mux(stream.encode(picture))
    container.mux(stream.encode(None))
