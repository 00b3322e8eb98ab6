"""Opening media files with PyAV: streams, packets, tags. Nothing else in the pack opens them to read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition

from ..errors import MediaError

# Tags come in any encoding. From PyAV 19 on they never raise, and the argument is gone.
_ANY_ENCODING: dict[str, Any] = (
    {} if int(av.__version__.partition(".")[0]) >= 19 else {"metadata_errors": "replace"}
)


@contextmanager
def open_media(path: str | os.PathLike[str]) -> Iterator[InputContainer]:
    """The open file; FFmpeg's errors inside the block are raised as MediaError.

    MediaError for a file that is missing, empty, or neither sound nor picture.
    """
    source = Path(path)
    if not source.is_file():
        raise MediaError(f"{source}: no such file; check the name, or put the file there")
    if source.stat().st_size == 0:
        raise MediaError(f"{source}: the file is empty; copy or export it again")
    try:
        # Playlists name other files or addresses: only files are opened.
        with av.open(str(source), options={"protocol_whitelist": "file"}, **_ANY_ENCODING) as container:
            yield container
    except FFmpegError as error:
        raise MediaError(
            f"{source}: cannot be read as sound or video ({error.strerror}): it is cut off, broken or "
            "neither; check that it plays, and export it again, as WAV, FLAC, MP3, M4A, OGG or MP4"
        ) from error


def media_tags(path: str | os.PathLike[str]) -> dict[str, str]:
    """Metadata tags of a file and its streams (Ogg has them there). MediaError as `open_media`."""
    with open_media(path) as container:
        tags: dict[str, str] = {}
        for stream in container.streams:
            tags |= stream.metadata
        return tags | container.metadata


def sound_stream(container: InputContainer, path: str | os.PathLike[str]) -> AudioStream:
    """The first sound track that can be decoded. MediaError when there is none."""
    tracks = container.streams.audio
    for track in tracks:
        if _decodable(track):
            return track
    if tracks:
        raise MediaError(
            f"{path}: its sound cannot be decoded (FFmpeg knows no decoder for it); "
            "export it with AAC, MP3, Opus, FLAC or PCM sound"
        )
    what = "a video or picture without sound" if container.streams.video else "a file without sound"
    raise MediaError(f"{path}: is {what}; choose a file with a sound track")


def has_video(container: InputContainer) -> bool:
    """Whether the file has a video stream other than cover art."""
    return any(_is_video(stream) for stream in container.streams.video)


def picture_stream(container: InputContainer, path: str | os.PathLike[str]) -> Any:
    """The first video stream that can be decoded, cover art aside. MediaError when there is none."""
    tracks = [stream for stream in container.streams.video if _is_video(stream)]
    for track in tracks:
        if _decodable(track):
            return track
    if tracks:
        raise MediaError(
            f"{path}: its pictures cannot be decoded (FFmpeg knows no decoder for them); export it as H.264"
        )
    raise MediaError(f"{path}: has no pictures (no video stream); give a video such as mp4, mov or webm")


def packets(container: InputContainer, *streams: Any) -> Iterator[Any]:
    """Demuxed packets of these streams, or of all; the empty one at the end of each flushes its decoder."""
    try:
        yield from container.demux(*streams)
    except IndexError:
        # PyAV does not know a stream that begins in the middle of the file (transport streams), and fails on
        # it when it flushes the others.
        return


def decoded_pictures(container: InputContainer, stream: Any) -> Iterator[Any]:
    """Decoded frames of a video stream."""
    for packet in packets(container, stream):
        yield from packet.decode()


def time_base(stream: Any) -> Fraction:
    """The time base of a stream: seconds per tick of its time stamps."""
    return known_fraction(stream.time_base) or Fraction(1)


def known_fraction(value: Any) -> Fraction | None:
    """A rational of PyAV as a fraction; None where FFmpeg does not know it (from PyAV 19 on, 0/0)."""
    if value is None or value.numerator <= 0 or value.denominator <= 0:
        return None
    return Fraction(value.numerator, value.denominator)


def _is_video(stream: Any) -> bool:
    return not stream.disposition & Disposition.attached_pic


def _decodable(stream: Any) -> bool:
    # Reading anything else of a stream without a decoder crashes PyAV 14 and 16.
    return stream.codec_context is not None
