"""Does a sound file end before its own header says it does? FFmpeg reads such files without a word.

A format that says nothing about its length (raw AAC, MP3 without a Xing header) is complete wherever it ends
between two packets.
"""

import struct
from pathlib import Path

from av.audio.stream import AudioStream
from av.container import InputContainer

MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
MATROSKA = "matroska,webm"
_LENGTH_IN_HEADER = ("flac", "aiff", "w64", "caf", MP4, MATROSKA)
# Encoders pad a sound to whole packets, and some headers count that padding.
_PADDING_SECONDS, _PADDING_SAMPLES = 0.1, 4096
_UNKNOWN_SIZE = 0x7FFF0000  # a WAV written to a pipe holds no real size, but one from here upwards
_WAV_HEADER = 64
_OGG_TAIL = 2**17  # more than one page can hold


def ends_early(
    path: Path, container: InputContainer, stream: AudioStream, end: float, rate: int, failed: bool
) -> bool:
    """Whether more sound is declared than could be decoded.

    end     where decoding ended: seconds on the file's own clock
    failed  whether the last packet could not be decoded
    """
    kind = container.format.name
    if kind == "wav":
        return _wav_is_cut(path)
    if kind == "ogg":
        return _ogg_is_cut(path)
    if kind in _LENGTH_IN_HEADER or (kind == "mp3" and _mp3_counts_frames(path)):
        declared = declared_end(stream)
        return declared is not None and end < declared - max(_PADDING_SECONDS, _PADDING_SAMPLES / rate)
    return failed and kind != "mp3"


def declared_end(stream: AudioStream) -> float | None:
    """Where the header says the track ends: seconds on the file's own clock. None if it does not say."""
    if stream.duration is not None and stream.time_base is not None:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    tag = stream.metadata.get("DURATION", "")  # Matroska, as FFmpeg writes it: 00:00:03.023000000
    try:
        hours, minutes, seconds = tag.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None


def _wav_is_cut(path: Path) -> bool:
    """Whether the data chunk of a RIFF file is larger than what is left of the file.

    A little larger is the fault of writers that count their header.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return False
        file.seek(12)
        while len(head := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", head)
            if name == b"data":
                return bool(length < _UNKNOWN_SIZE and file.tell() + length > size + _WAV_HEADER)
            file.seek(length + length % 2, 1)
    return True


def _ogg_is_cut(path: Path) -> bool:
    """Whether an Ogg file (RFC 3533) ends within a page. Some writers never set the end-of-stream flag."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _OGG_TAIL))
        tail = file.read()
    page = tail.rfind(b"OggS")
    if page < 0:
        return False
    header, table = tail[page : page + 27], tail[page + 27 : page + 27 + 255]
    if len(header) < 27 or len(table) < header[26]:
        return True
    return page + 27 + header[26] + sum(table[: header[26]]) > len(tail)


def _mp3_counts_frames(path: Path) -> bool:
    """Whether the first frame of an MP3 file is a Xing header with a frame count."""
    with path.open("rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3" and len(head) == 10:
            size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
            file.seek(10 + size)
        else:
            file.seek(0)
        frame = file.read(2048)
    for tag in (b"Xing", b"Info"):
        at = frame.find(tag)
        if 0 <= at < len(frame) - 8:
            return bool(frame[at + 7] & 1)
    return False
