"""Facts of a media file: its second 0, the time spans of video and sound, the frame rate.

Measured from the packets without decoding them; headers count only where the packets agree.
"""

from __future__ import annotations

import os
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from av.container import InputContainer
from av.error import FFmpegError

from ..errors import MediaError
from .clock import check_frame_times, measured_rate
from .opener import has_video, known_fraction, open_media, packets, picture_stream, sound_stream, time_base

_MAX_PACKETS_TO_KEY_FRAME = 600  # a recording of a broadcast starts between two key frames


class Span(NamedTuple):
    """Start and end in seconds from second 0."""

    start: float
    end: float


class Facts(NamedTuple):
    """pictures, sound: time spans of the video and the sound track, None without one that can be decoded;
    rate: frames per second, None if unknown.
    """

    pictures: Span | None
    sound: Span | None
    rate: Fraction | None


def has_sound(path: str | os.PathLike[str]) -> bool:
    """Whether the file has a sound track that can be decoded. MediaError for a file that cannot be read."""
    with open_media(path) as container:
        return _or_none(sound_stream, container, Path(path)) is not None


def picture_origin(path: str | os.PathLike[str], container: InputContainer) -> Fraction | None:
    """Second 0 of a video in the file's own time: presentation time of its first frame that can be decoded.

    None for a file without video. The position in `container`, the open file, does not change.
    """
    if not has_video(container):
        return None
    stat = os.stat(path)
    return _first_frame_time(os.path.abspath(path), stat.st_size, stat.st_mtime_ns)


def file_facts(path: str | os.PathLike[str]) -> Facts:
    """Spans and rate of a file; all its packets are read. MediaError for a file that cannot be read."""
    if not Path(path).is_file():
        raise MediaError(f"{path}: no such file; check the name, or put the file there")
    stat = os.stat(path)
    return _facts(os.path.abspath(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1024)
def _first_frame_time(path: str, size: int, changed: int) -> Fraction | None:
    with open_media(path) as container:
        stream = _or_none(picture_stream, container, Path(path))
        if stream is None:
            return None
        frames: list[Any] = []
        for number, packet in enumerate(packets(container, stream)):
            try:
                frames = packet.decode()
            except FFmpegError:
                continue  # before the first key frame
            if frames or number > _MAX_PACKETS_TO_KEY_FRAME:
                break
        pts = frames[0].pts if frames else None
        pts = pts if pts is not None else stream.start_time
        return None if pts is None else pts * time_base(stream)


@lru_cache(maxsize=1024)
def _facts(path: str, size: int, changed: int) -> Facts:
    with open_media(path) as container:
        video = _or_none(picture_stream, container, Path(path))
        audio = _or_none(sound_stream, container, Path(path))
        streams = [stream for stream in (video, audio) if stream is not None]
        origin = picture_origin(path, container)
        frame_times: list[Fraction] = []
        audio_spans: list[tuple[Fraction, Fraction]] = []
        last_duration = Fraction(0)  # of the last frame
        for packet in packets(container, *streams) if streams else ():
            if packet.pts is None:
                continue
            base = time_base(packet.stream)
            start, duration = packet.pts * base, (packet.duration or 0) * base
            if video is None or packet.stream.index != video.index:
                audio_spans.append((start, start + duration))
            elif origin is None or start >= origin:
                if not frame_times or start > frame_times[-1]:
                    last_duration = duration
                frame_times.append(start)
        frame_times.sort()
        check_frame_times(frame_times, path)
        rate = measured_rate(frame_times, None if video is None else known_fraction(video.average_rate))
        if origin is None:
            origin = max(min((start for start, _ in audio_spans), default=Fraction(0)), Fraction(0))
        pictures = None
        if frame_times:
            # Recorders that do not know the duration of a frame store 0, or one tick.
            if rate is not None and last_duration < 1 / (2 * rate):
                last_duration = 1 / rate
            pictures = _span(frame_times[0] - origin, frame_times[-1] + last_duration - origin)
        sound = None
        if audio_spans:
            sound = _span(min(audio_spans)[0] - origin, max(end for _, end in audio_spans) - origin)
        return Facts(pictures, sound, rate)


def _span(start: Fraction, end: Fraction) -> Span:
    return Span(max(0.0, float(start)), float(end))


def _or_none(find: Any, container: InputContainer, path: Path) -> Any:
    try:
        return find(container, path)
    except MediaError:
        return None
