"""Recordings in a SoundFont 2 bank: its samples as they were recorded, not the instruments made of them.

Format: SoundFont technical specification 2.04: RIFF chunks `smpl` (16-bit PCM) and `shdr` (46 bytes each).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from ..errors import DataError

_HEADER = struct.Struct(
    "<20s5IBbHH"
)  # name, start, end, loop start, loop end, rate, pitch, correction, link, type


def bank_samples(path: Path, pattern: str) -> Iterator[tuple[str, np.ndarray, int]]:
    """Name, samples float32 [N] in -1..1 and rate in Hz of each sample whose name fits.

    DataError for a file that is no SoundFont 2 bank.
    """
    data = path.read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise DataError(f"{path}: not a SoundFont 2 bank (.sf2)")
    chunks = dict(_chunks(data, 12, len(data)))
    if not {b"smpl", b"shdr"} <= chunks.keys():
        raise DataError(f"{path}: a SoundFont 2 bank without samples; the file may be cut off")
    pcm = np.frombuffer(chunks[b"smpl"], "<i2")
    for header in _HEADER.iter_unpack(chunks[b"shdr"]):
        name = header[0].split(b"\0")[0].decode("latin-1").strip()
        start, end, rate = header[1], header[2], header[5]
        if end > start and rate > 0 and fnmatchcase(name, pattern):
            yield name, pcm[start:end].astype(np.float32) / 32768, rate


def _chunks(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, memoryview]]:
    """All chunks of a RIFF file by their name, those in lists too."""
    while position + 8 <= end:
        name, size = (
            data[position : position + 4],
            int.from_bytes(data[position + 4 : position + 8], "little"),
        )
        body = position + 8
        if name == b"LIST":
            yield from _chunks(data, body + 4, min(end, body + size))
        else:
            yield name, memoryview(data)[body : body + size]
        position = body + size + size % 2
