"""Short windows of a sound, cut out of a stream: each is heard alone, without what is around it.

Legend: C channels, N samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...audio import to_mono_16k
from ..analysis import Sound, open_stream

Floats = np.ndarray[Any, np.dtype[np.float32]]


class Span(NamedTuple):
    """A stretch of a sound in seconds."""

    start: float
    end: float


def windows_16k(sound: Sound, spans: Sequence[Span]) -> Iterator[Tensor]:
    """The mono sound of every span at 16 kHz, float32 [N], in their order: ascending starts.

    Beyond the ends of the sound there is silence. Errors as `open_stream`.
    """
    stream = open_stream(sound)
    rate = stream.rate
    held, origin = np.zeros((stream.channels, 0), np.float32), 0
    blocks: Iterator[Floats | None] = iter(stream.blocks)
    for span in spans:
        first, last = round(span.start * rate), round(span.end * rate)
        while origin + held.shape[1] < last and (block := next(blocks, None)) is not None:
            drop = min(held.shape[1], max(0, first - origin))
            held, origin = np.concatenate([held[:, drop:], block], axis=1), origin + drop
        yield _cut(held, first - origin, last - origin, rate)


def _cut(held: Floats, first: int, last: int, rate: int) -> Tensor:
    inside = held[:, max(0, first) : max(0, last)]
    before = max(0, min(-first, last - first))
    part = np.pad(inside, ((0, 0), (before, max(0, last - first - before - inside.shape[1]))))
    return to_mono_16k(torch.from_numpy(np.ascontiguousarray(part)), rate)
