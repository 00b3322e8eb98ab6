"""Detection of truncated files, which FFmpeg reads without an error.

What was read is compared with what the file declares: the end of the sound track, that of the whole file, and
the sizes of its chunks. A format that declares no length (raw AAC, MP3 without a Xing header) is complete
wherever it ends between two packets.
"""

from __future__ import annotations

import logging
import struct
from pathlib import Path
from typing import Any

from av.audio.stream import AudioStream
from av.container import InputContainer

_LOG = logging.getLogger(__name__)

MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
# Here FFmpeg guesses the length from the bit rate, or takes it from the last packet that is there.
_NO_LENGTH = ("aac", "ac3", "eac3", "dts", "amr", "mp3", "loas", "mlp", "truehd", "mpeg", "mpegts", "ogg")
# Encoders pad a sound to whole packets, and some headers count that padding.
_PADDING_SECONDS, _PADDING_SAMPLES = 0.1, 4096
_UNKNOWN_SIZE = 0x7FFF0000  # a WAV written to a pipe holds no real size, but one from here upwards
_WAV_HEADER = 64
_OGG_TAIL = 2**17  # more than one page can hold
_W64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_MP3_KBPS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_RATES = (44100, 48000, 32000)


class Ending:
    """Where the packets read so far end, and whether the last one is whole."""

    def __init__(self) -> None:
        self.failed = False  # whether the last packet of the sound could not be decoded
        self.partial = False  # whether it is shorter than it should be
        self.packets = 0  # of the sound
        self.sound_end: float | None = None  # seconds in the file's own time
        self.file_end: float | None = None
        self._last: Any = None

    def add(self, packet: Any, index: int) -> bool:
        """Count a packet; True when it belongs to the sound track `index`."""
        own: bool = packet.stream.index == index
        if packet.pts is not None:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            self.file_end = end if self.file_end is None else max(self.file_end, end)
            if own:
                self.sound_end = end if self.sound_end is None else max(self.sound_end, end)
        if own and packet.size:
            self.packets += 1
            self.partial = packet.is_corrupt
            self._last = packet
        return own

    @property
    def last(self) -> bytes:
        """The last packet of the sound."""
        return b"" if self._last is None else bytes(self._last)


def padding(rate: int) -> float:
    """Seconds by which a declared end may differ from a true one."""
    return max(_PADDING_SECONDS, _PADDING_SAMPLES / rate) if rate else _PADDING_SECONDS


def declared_end(stream: AudioStream) -> float | None:
    """End of the track by its header, in seconds of the file's own time; None if it states none."""
    if stream.duration and stream.time_base is not None:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    tag = stream.metadata.get("DURATION", "")  # Matroska, as FFmpeg writes it: 00:00:03.023000000
    try:
        hours, minutes, seconds = tag.split(":")
        return (int(hours) * 3600 + int(minutes) * 60 + float(seconds)) or None
    except ValueError:
        return None


def why_cut(path: Path, container: InputContainer, stream: AudioStream, ending: Ending, rate: int) -> str:
    """Why a file that was read to its end is taken for truncated; empty when it is complete."""
    kind = container.format.name
    by_size = _riff_is_cut(path)
    if by_size is not None:
        return "its header promises more bytes" if by_size else ""
    if kind == "ogg":
        return "its last page is not complete" if _ogg_is_cut(path) else ""
    slack = padding(rate)
    declared = declared_end(stream)
    early = declared is not None and (ending.sound_end or 0.0) < declared - slack
    if kind == "mp3":
        if early and not _mp3_frame_is_complete(ending.last):
            return "its header counts more frames"
        if early:
            _LOG.warning("%s: its header counts more frames than there are (cut with a simple tool)", path)
        return ""
    if ending.failed or ending.partial:
        return "its last packet is not complete"
    if kind in _NO_LENGTH:
        return ""
    if early:
        return f"its header says {declared:.2f} s"
    duration = (container.duration or 0) / 1e6
    if declared is None and duration and (ending.file_end or 0.0) < duration + _start(container) - slack:
        return f"its header says {duration:.2f} s"
    return ""


def _start(container: InputContainer) -> float:
    return (container.start_time or 0) / 1e6


def _riff_is_cut(path: Path) -> bool | None:
    """Whether a chunk of a RIFF, RF64 or W64 file (WAV, AVI) is larger than what is left of the file.

    None for other files, and where the size was not known when it was written. Some writers count their
    header too: that much is tolerated.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        if head == _W64_RIFF:
            return _w64_is_cut(file, size)
        if head[:4] not in (b"RIFF", b"RF64"):
            return None
        data_size = size  # RF64 states it in the chunk ds64
        file.seek(12)
        at = 12
        while len(chunk := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", chunk)
            at += 8
            if name == b"ds64":
                data_size = struct.unpack("<QQ", file.read(16).ljust(16, b"\0"))[1]
            if length == 0xFFFFFFFF and head[:4] == b"RF64":
                length = data_size
            elif name in (b"data", b"LIST") and length >= _UNKNOWN_SIZE:
                return False
            if at + length > size + _WAV_HEADER:
                return True
            if name == b"data":
                return False
            at += length + length % 2
            file.seek(at)
    return head[8:12] == b"WAVE"  # no data chunk


def _w64_is_cut(file: Any, size: int) -> bool:
    """Sony Wave64: 16 bytes of name and 8 of size, which counts both; chunks begin at multiples of 8."""
    at = 40
    file.seek(at)
    while len(chunk := file.read(24)) == 24:
        name, length = chunk[:4], struct.unpack("<Q", chunk[16:])[0]
        if name == b"data":
            return bool(length < 2**62 and at + length > size + _WAV_HEADER)
        if length < 24:
            return False
        at += -(-length // 8) * 8
        if at > size:  # and perhaps beyond what a system can seek to
            return True
        file.seek(at)
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


def _mp3_frame_is_complete(frame: bytes) -> bool:
    """Whether the last packet of an MP3 (MPEG audio, layer 3) is as long as its own header says."""
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return False
    version = {3: 1, 2: 2, 0: 4}.get(frame[1] >> 3 & 3)  # MPEG 1, 2 and 2.5: the rate is divided by it
    kbps, rate = frame[2] >> 4, frame[2] >> 2 & 3
    if version is None or kbps == 15 or rate == 3:
        return False
    samples = 1152 if version == 1 else 576
    bits = _MP3_KBPS[min(version, 2)][kbps] * 1000
    length = samples // 8 * bits * version // _MP3_RATES[rate] + (frame[2] >> 1 & 1)
    return bool(length) and len(frame) >= length
