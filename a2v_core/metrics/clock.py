"""When the frames of a file are shown, where that is not index / fps (phones and screen recorders)."""

from __future__ import annotations

import os
from fractions import Fraction

import av
import av.error
from av.stream import Disposition

_LATE_FRAMES = 0.5  # as much as a constant rate may be off by rounding and start delays


def frame_times(path: str | os.PathLike[str], rate: Fraction) -> tuple[float, ...]:
    """Seconds at which each frame is shown, the first at 0; empty for a constant `rate` or without times.

    Reads the packets without decoding them. The file is one that `probe_video` has accepted.
    """
    stamps = _stamps(path)
    if len(stamps) < 3:
        return ()
    times = [float(stamp - stamps[0]) for stamp in stamps]
    allowed = _LATE_FRAMES / float(rate)
    if all(abs(time - index / float(rate)) <= allowed for index, time in enumerate(times)):
        return ()
    return tuple(times)


def _stamps(path: str | os.PathLike[str]) -> list[Fraction]:
    """Presentation times of the frames, ascending; none if any is missing or two are equal."""
    try:
        with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
            stream = next(s for s in container.streams.video if not s.disposition & Disposition.attached_pic)
            base = Fraction(stream.time_base or 1)
            packets = [packet for packet in container.demux(stream) if packet.size]
            stamps = [packet.pts for packet in packets if packet.pts is not None]
    except av.error.FFmpegError:
        return []
    if len(stamps) != len(packets) or len(set(stamps)) != len(stamps):
        return []
    return [stamp * base for stamp in sorted(stamps)]
