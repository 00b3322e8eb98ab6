"""Which clip of a file: number k of a file is always the same clip, whoever asks, on whatever machine."""

from __future__ import annotations

import hashlib

import numpy as np

from a2v_core.errors import A2VError, MediaError
from a2v_core.media import Span

from ..config import Data
from .clip import Clip, clip_start, common_span, read_clip
from .items import Item, Unusable


def generator(*parts: object) -> np.random.Generator:
    """Random numbers that depend on `parts` alone."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def cut(item: Item, number: int, data: Data, seed: int) -> Clip:
    """Clip `number` of a file. MediaError if it cannot be cut."""
    span = common_span(item)
    if data.start == "fixed":
        start = data.start_seconds
        clip_start(Span(max(span.start, start), span.end), data.clip_seconds, 0.0)
        if start < span.start:
            raise MediaError(
                f"{item.sound}: no sound before {span.start:.2f} s, the clip starts at {start} s"
            )
    else:
        share = float(generator("start", seed, item.id, number).random())
        start = clip_start(span, data.clip_seconds, share)
    return read_clip(item, start, data.num_frames, data.fps, data.width, data.height)


def clips_of(data: Data) -> int:
    """Distinct clips of a file; 0 means no end of them."""
    return 1 if data.start == "fixed" else data.clips_per_video


def unusable(item: Item, error: Exception) -> Unusable:
    """The row of the report for a file or clip that could not be cut or encoded, whatever was raised."""
    known = isinstance(error, (A2VError, OSError))
    text = str(error) if known else f"{type(error).__name__}: {error}"
    kinds = {
        "no sound": "no sound",
        "without sound": "no sound",
        "a clip needs": "too short",
        "no sound before": "too short",
        "ends": "too short",
        "no such file": "missing file",
        "beyond the end": "too short",
        "no pictures": "no pictures",
        "cannot be decoded": "unknown codec",
    }
    # The name of a file may hold such words, too.
    said = text.replace(str(item.video), "").replace(str(item.sound), "")
    kind = next((kind for part, kind in kinds.items() if part in said), "broken")
    return Unusable(item.id, str(item.video), kind, text)
