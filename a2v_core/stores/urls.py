"""Places: a path on this machine, or the address of something in a store, such as s3://bucket/clips.

pathlib would take the second slash out of an address, so that addresses travel as str and paths as Path.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from .errors import StoreError

Place: TypeAlias = Path | str
"""A path on this machine, or an address, which is a str."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def place_of(text: str | Path) -> Place:
    """The place that a setting names."""
    if isinstance(text, Path) or not _SCHEME.match(text):
        return Path(text)
    if text.lower().startswith(("file://", "local://")):
        return Path(text.partition("://")[2])
    return text.rstrip("/")


def check_place(place: Place) -> None:
    """StoreError for an address with a password in it."""
    if isinstance(place, str) and urlsplit(place).password is not None:
        raise StoreError(
            f"{urlsplit(place).scheme}://...: has a password in its address, which would get into logs; "
            "give it in the way of the store, by the environment or by storage_options"
        )


def below(place: Place, name: str) -> Place:
    """The place with this name, parts joined by /, below another."""
    return place / name if isinstance(place, Path) else f"{place}/{name}"
