"""Which clip of a file: number k of a file is always the same clip, whoever asks, on whatever machine."""

from __future__ import annotations

import hashlib

import numpy as np

from a2v_core.errors import MediaError

from ..config import Data
from .clip import Clip, clip_start, common_length, read_clip
from .items import Item, Unusable


def generator(*parts: object) -> np.random.Generator:
    """Random numbers that depend on `parts` alone."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def cut(item: Item, number: int, data: Data, seed: int) -> Clip:
    """Clip `number` of a file. MediaError if it cannot be cut."""
    length = common_length(item)
    if data.start == "fixed":
        clip_start(length - data.start_seconds, data.clip_seconds, 0.0)
        start = data.start_seconds
    else:
        share = float(generator("start", seed, item.id, number).random())
        start = clip_start(length, data.clip_seconds, share)
    return read_clip(item, start, data.num_frames, data.fps, data.width, data.height)


def clips_of(data: Data) -> int:
    """Distinct clips of a file; 0 means no end of them."""
    return 1 if data.start == "fixed" else data.clips_per_video


def unusable(item: Item, error: MediaError) -> Unusable:
    """The row of the report for a file or clip that could not be cut."""
    text = str(error)
    kinds = {
        "no sound": "no sound",
        "without sound": "no sound",
        "long, a clip needs": "too short",
        "ends": "too short",
        "no such file": "missing file",
        "beyond the end": "too short",
        "no pictures": "no pictures",
    }
    kind = next((kind for part, kind in kinds.items() if part in text), "broken")
    return Unusable(item.id, str(item.video), kind, text)
