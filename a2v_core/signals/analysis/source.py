"""A sound as a stream of blocks, from a file or from memory, in bounded memory.

Legend: C channels, N samples.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from ... import media
from ...errors import MediaError
from ...media import Waveform, check_finite, checked_samples

BLOCK_SECONDS = 4.0

Floats = np.ndarray[Any, np.dtype[np.float32]]
Sound = Waveform | Path


class SoundStream(NamedTuple):
    """Blocks float32 [C, N] without gaps, the first from second 0 of the sound, at `rate` Hz."""

    rate: int
    channels: int
    blocks: Iterator[Floats]


def open_stream(sound: Sound) -> SoundStream:
    """A decoded sound, or a sound file or video, from second 0 to its end.

    Missing packets are silence, as in `load_audio`. MediaError, now or while the blocks are read, for what
    cannot be decoded, is empty, or is not finite.
    """
    if isinstance(sound, Waveform):
        samples = checked_samples(sound).numpy()
        size = max(1, round(BLOCK_SECONDS * sound.sample_rate))
        parts = (samples[:, start : start + size] for start in range(0, samples.shape[1], size))
        return SoundStream(sound.sample_rate, len(samples), parts)
    blocks = media.without_gaps(media.sound_blocks(sound), sound)
    first = next(blocks, None)
    if first is None:
        raise MediaError(f"{sound}: holds no sound at all (zero length); choose another file")
    channels = len(first.samples)
    return SoundStream(first.rate, channels, _joined(itertools.chain((first,), blocks), sound, channels))


def _joined(blocks: Iterator[media.Block], path: Path, channels: int) -> Iterator[Floats]:
    """Packets joined to blocks of a few seconds, checked."""
    parts: list[Floats] = []
    held = 0
    for block in blocks:
        if len(block.samples) != channels:
            raise MediaError(
                f"{path}: the channels change at {block.position / block.rate:.2f} s from {channels} to "
                f"{len(block.samples)}; export it as WAV first"
            )
        parts.append(block.samples)
        held += block.samples.shape[1]
        if held >= BLOCK_SECONDS * block.rate:
            yield _checked(parts, path)
            parts, held = [], 0
    if held:
        yield _checked(parts, path)


def _checked(parts: list[Floats], path: Path) -> Floats:
    samples = np.concatenate(parts, axis=1)
    if not np.isfinite(samples.sum()):  # a sum may overflow, so each sample has to be looked at
        check_finite(torch.from_numpy(samples), str(path))
    return samples
