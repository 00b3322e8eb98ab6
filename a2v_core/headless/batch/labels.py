"""Names of runs, which are also those of their files: the same in every call, safe on every file system."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

LABEL_BYTES = 120


class Key(NamedTuple):
    """What is named: `parts` are what people read, `identity` tells it from all others."""

    parts: tuple[str, ...]
    identity: str


def labels_of(keys: Sequence[Key]) -> list[str]:
    """One label a key, each another: its parts, joined by underscores.

    A label has no dot, so whatever stands behind a dot in a file name cannot make two of them one. Keys
    whose labels would be equal, in any case of letters, get a hash of their identity.
    """
    plain = [_label(key) for key in keys]
    counts = Counter(label.casefold() for label in plain)
    return [
        label if label and counts[label.casefold()] == 1 else f"{label}_{_hash(key)}".lstrip("_")
        for label, key in zip(plain, keys, strict=True)
    ]


def _label(key: Key) -> str:
    """Letters, digits and dashes of any script; one that is too long is cut and gets its hash."""
    text = "_".join(re.sub(r"[^\w-]+", "_", part).strip("_") for part in key.parts)
    if len(text.encode()) <= LABEL_BYTES:
        return text
    return f"{text.encode()[:LABEL_BYTES].decode(errors='ignore')}_{_hash(key)}"


def _hash(key: Key) -> str:
    return hashlib.sha256(key.identity.encode(errors="surrogatepass")).hexdigest()[:8]
