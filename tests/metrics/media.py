"""Files for the tests of the metrics, written with PyAV: any rate, rotation, depth and spacing of frames."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

Frames = np.ndarray[Any, np.dtype[np.uint8]]
GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "av_align"


def write_set(folder: Path, clips: int) -> Path:
    """One short clip with its sound beside it under several names, and a file that is none."""
    folder.mkdir()
    for number in range(clips):
        for ending in (".mp4", ".wav"):
            content = (GOLDEN / f"clip0_sync_12fps{ending}").read_bytes()
            (folder / f"clip{number}{ending}").write_bytes(content)
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


def write_sound(path: Path, samples: np.ndarray[Any, Any], rate: int) -> None:
    """float [C, N] in -1..1 as a 16-bit wav."""
    pcm = (samples.clip(-1, 1) * 32767).astype("<i2").T
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[0])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(pcm).tobytes())


def write_frames(
    path: Path,
    frames: Frames,
    fps: int = 12,
    *,
    times: Sequence[float] | None = None,
    pixel_format: str = "yuv420p",
    codec: str = "libx264",
    rotation: int = 0,
) -> None:
    """uint8 [F, H, W, 3] without sound; `times` in seconds for a variable rate, `rotation` as a phone
    notes it.
    """
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(
            codec, rate=fps, options={"crf": "12"} if codec == "libx264" else {}
        )
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], pixel_format
        base = Fraction(1, 1000)
        stream.codec_context.time_base = base
        stream.time_base = base
        if rotation:
            stream.set_display_rotation(rotation)
        for index, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            second = times[index] if times is not None else index / fps
            frame.pts, frame.time_base = round(second * 1000), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
