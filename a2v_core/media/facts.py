"""What a file holds and when: its second 0, the spans of its pictures and its sound, its frame rate.

Measured from the packets, not decoded; headers are only believed where the packets agree.
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
from .clock import check_pictures, measured_rate
from .opener import has_picture, open_media, packets, picture_stream, positive, sound_stream, time_base

_PACKETS_TO_A_PICTURE = 600  # a stream that was joined late shows nothing before its next key frame


class Span(NamedTuple):
    """From when to when, in seconds from second 0."""

    start: float
    end: float


class Facts(NamedTuple):
    """pictures, sound: their spans, None where the file has none that can be decoded; rate: frames per
    second, None if unknown.
    """

    pictures: Span | None
    sound: Span | None
    rate: Fraction | None


def has_sound(path: str | os.PathLike[str]) -> bool:
    """Whether the file has a sound track that can be decoded. MediaError for a file that cannot be read."""
    with open_media(path) as container:
        return _or_none(sound_stream, container, Path(path)) is not None


def picture_origin(path: str | os.PathLike[str], container: InputContainer) -> Fraction | None:
    """Second 0 of a video on the file's own clock: when its first picture that can be decoded is shown.

    None for a file without pictures. `container` is the open file, which is left where it is.
    """
    if not has_picture(container):
        return None
    stat = os.stat(path)
    return _first_picture(os.path.abspath(path), stat.st_size, stat.st_mtime_ns)


def file_facts(path: str | os.PathLike[str]) -> Facts:
    """Spans and rate of a file; all its packets are read. MediaError for a file that cannot be read."""
    if not Path(path).is_file():
        raise MediaError(f"{path}: no such file; check the name, or put the file there")
    stat = os.stat(path)
    return _facts(os.path.abspath(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1024)
def _first_picture(path: str, size: int, changed: int) -> Fraction | None:
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
            if frames or number > _PACKETS_TO_A_PICTURE:
                break
        pts = frames[0].pts if frames else None
        pts = pts if pts is not None else stream.start_time
        return None if pts is None else pts * time_base(stream)


@lru_cache(maxsize=1024)
def _facts(path: str, size: int, changed: int) -> Facts:
    with open_media(path) as container:
        picture = _or_none(picture_stream, container, Path(path))
        sound = _or_none(sound_stream, container, Path(path))
        wanted = [stream for stream in (picture, sound) if stream is not None]
        origin = picture_origin(path, container)
        shown: list[Fraction] = []
        heard: list[tuple[Fraction, Fraction]] = []
        last = Fraction(0)  # seconds that the last picture is shown for
        for packet in packets(container, *wanted) if wanted else ():
            if packet.pts is None:
                continue
            base = time_base(packet.stream)
            at, lasts = packet.pts * base, (packet.duration or 0) * base
            if picture is not None and packet.stream.index == picture.index:
                if origin is None or at >= origin:
                    last = lasts if not shown or at > max(shown[-1:]) else last
                    shown.append(at)
            else:
                heard.append((at, at + lasts))
        stated = None if picture is None else positive(picture.average_rate)
        shown.sort()
        check_pictures(shown, path)
        rate = measured_rate(shown, stated)
        zero = (
            origin
            if origin is not None
            else max(min((start for start, _ in heard), default=Fraction(0)), Fraction(0))
        )
        pictures = None
        if shown:
            # Recorders that do not know how long a picture lasts say nothing, or one tick.
            known = rate is not None and last < 1 / (2 * rate)
            lasts = 1 / rate if rate is not None and known else last
            pictures = Span(max(0.0, float(shown[0] - zero)), float(shown[-1] + lasts - zero))
        spoken = None
        if heard:
            start = max(0.0, float(min(first for first, _ in heard) - zero))
            spoken = Span(start, float(max(end for _, end in heard) - zero))
        return Facts(pictures, spoken, rate)


def _or_none(find: Any, container: InputContainer, path: Path) -> Any:
    try:
        return find(container, path)
    except MediaError:
        return None
