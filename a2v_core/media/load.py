"""Sound files, and the sound track of videos, to samples: decoded by PyAV, cut exactly to the sample."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import MediaError
from .resampling import check_finite
from .sound import Block, sound_blocks, without_gaps
from .waveform import Waveform

# Below this, decoding from the start costs next to nothing. A seek goes further back by the lead, since
# decoders need some packets to settle.
_SEEK_FROM_SECONDS = 10.0
_SEEK_LEAD_SECONDS = 1.0


def load_audio(path: str | Path, start: float = 0.0, duration: float = 0.0) -> Waveform:
    """Decode a sound file, or the first sound track of a video, with all its channels at its own rate.

    Every packet is placed by its time stamp: where some are missing there is silence, and what follows stays
    where it was.

    start     seconds to skip; second 0 of a video is its first picture (a track that starts later is
              preceded by silence)
    duration  seconds to read from there; 0 reads to the end, and so does more than there is

    Raises MediaError for a file that is missing, empty, not audio, damaged or truncated within that part, for
    a video without sound, for samples that are NaN or infinite, and for a start beyond the end.
    """
    path = Path(path)
    if not (0 <= start < math.inf and 0 <= duration < math.inf):
        raise MediaError(f"{path}: start and duration must be 0 s or more, got {start} s and {duration} s")
    wave = _seek_and_read(path, start, duration) if start > _SEEK_FROM_SECONDS else None
    wave = wave or _read(path, start, duration)
    if wave is None:
        raise MediaError(f"{path}: a duration of {duration} s holds no sample; choose a longer one")
    check_finite(wave.samples, str(path))
    return wave


def _seek_and_read(path: Path, start: float, duration: float) -> Waveform | None:
    """The requested part by a seek; None where seeking is not exact."""
    blocks = sound_blocks(path, seek=start - _SEEK_LEAD_SECONDS)
    first = next(blocks, None)
    if first is None or first.position > round(start * first.rate):
        return None
    return _collect(itertools.chain((first,), blocks), path, start, duration, first.rate)


def _read(path: Path, start: float, duration: float) -> Waveform | None:
    """The requested part, decoded from the start of the file; None if it holds no sample."""
    blocks = sound_blocks(path)
    first = next(blocks, None)
    if first is None:
        raise MediaError(f"{path}: holds no sound at all (zero length); choose another file")
    end = 0

    def counted() -> Iterator[Block]:
        nonlocal end
        for block in itertools.chain((first,), blocks):
            end = block.position + block.samples.shape[1]
            yield block

    wave = _collect(counted(), path, start, duration, first.rate)
    if wave is None and end <= 0:
        raise MediaError(f"{path}: holds no sound at all (zero length); choose another file")
    if wave is None and end <= start * first.rate:
        raise MediaError(
            f"{path}: start {start} s is beyond the end of the sound ({end / first.rate:.3f} s); "
            "choose an earlier start"
        )
    return wave


def _collect(
    blocks: Iterator[Block], path: Path, start: float, duration: float, rate: int
) -> Waveform | None:
    first, stop = round(start * rate), round((start + duration) * rate) if duration else None
    parts: list[NDArray[np.float32]] = []
    for block in without_gaps(blocks, path, first):
        samples = block.samples if stop is None else block.samples[:, : max(0, stop - block.position)]
        if samples.shape[1]:
            parts.append(samples)
        if parts and len(samples) != len(parts[0]):
            raise MediaError(
                f"{path}: the channels change at {block.position / rate:.2f} s from {len(parts[0])} to "
                f"{len(samples)}; export it as WAV first, or choose a part before that"
            )
        if stop is not None and block.position + block.samples.shape[1] >= stop:
            break
    return Waveform(torch.from_numpy(np.concatenate(parts, axis=1)), rate) if parts else None
