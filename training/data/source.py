"""Deterministic clips: clip k of a file is the same in every process and on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import numpy as np

from a2v_core import media
from a2v_core.errors import A2VError, MediaError
from a2v_core.stores import Damaged, Unreachable, at_hand

from ..config import Data
from .clip import Clip, clip_start, common_span, read_clip
from .items import UNREACHABLE, Item, Unusable


def seeded_generator(*parts: object) -> np.random.Generator:
    """A random generator seeded by a hash of `parts`."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def cut(item: Item, number: int, data: Data, seed: int) -> Clip:
    """Clip `number` of a file. MediaError if it cannot be cut, StoreError if it cannot be fetched."""
    with _near(item) as near:
        return _cut(near, number, data, seed)


@contextmanager
def _near(item: Item) -> Iterator[Item]:
    """The same item with files of this machine, fetched once for all that is read of them."""
    with ExitStack() as stack:
        video = stack.enter_context(at_hand(item.video))
        audio = None if item.audio is None else stack.enter_context(at_hand(item.audio))
        yield replace(item, video=video, audio=audio)


def _cut(item: Item, number: int, data: Data, seed: int) -> Clip:
    span = common_span(item)
    if data.start == "fixed":
        start = data.start_seconds
        clip_start(media.Span(max(span.start, start), span.end), data.clip_seconds, 0.0)
        if start < span.start:
            raise MediaError(
                f"{item.sound}: no sound before {span.start:.2f} s, the clip starts at {start} s"
            )
    else:
        share = float(seeded_generator("start", seed, item.id, number).random())
        start = clip_start(span, data.clip_seconds, share)
    return read_clip(item, start, data.num_frames, data.fps, data.width, data.height)


def clips_per_file(data: Data) -> int:
    """Number of distinct clips per file; 0: unlimited."""
    return 1 if data.start == "fixed" else data.clips_per_video


def unusable(item: Item, error: Exception) -> Unusable:
    """The report row for a file or clip that could not be cut or encoded."""
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
    if isinstance(error, Unreachable):
        return Unusable(item.id, str(item.video), UNREACHABLE, text)
    if isinstance(error, Damaged):
        return Unusable(item.id, str(item.video), "damaged", text)
    # File names may contain these phrases, too.
    message = text.replace(str(item.video), "").replace(str(item.sound), "")
    kind = next((kind for part, kind in kinds.items() if part in message), "broken")
    return Unusable(item.id, str(item.video), kind, text)
