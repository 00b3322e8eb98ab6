"""Objects of a store, read through the local cache."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .access import Access, Found
from .attempts import Patience
from .local_cache import LocalCache


@dataclass(frozen=True)
class StoredFile:
    """An object of a store, as it was listed."""

    found: Found
    store: Store = field(repr=False, compare=False)

    def __str__(self) -> str:
        return self.found.url

    @property
    def size(self) -> int:
        """Bytes."""
        return self.found.size

    @property
    def key(self) -> str:
        """Its key in the cache: another one when the object is overwritten."""
        return f"{self.found.version} {self.size} {self.found.url}"

    @contextmanager
    def local(self) -> Iterator[Path]:
        """A copy of it, while the block lasts. StoreError, or a subclass, when it cannot be had."""
        store = self.store
        with store.cache.holding(
            self.key, self.size, lambda part: store.access.download(self.found, part)
        ) as path:
            yield path


@dataclass(frozen=True)
class Store:
    """Stores and the local cache that they are read through."""

    cache: LocalCache
    access: Access

    def files(self, url: str) -> dict[str, StoredFile]:
        """All objects below an address by their names below it. StoreError when it cannot be listed."""
        return {
            found.url.removeprefix(url).lstrip("/"): StoredFile(found, self)
            for found in self.access.listing(url)
        }

    def file(self, url: str) -> StoredFile:
        """One object. StoreError when it is not there."""
        return StoredFile(self.access.info(url), self)


def make_store(
    folder: Path | None, gigabytes: float, tries: int, seconds: float, options: Mapping[str, Any]
) -> Store:
    """A store with its cache in a folder, None: that of the user. `options` are fsspec's."""
    cache = LocalCache(folder or user_cache(), round(gigabytes * 1e9), seconds)
    return Store(cache, Access(Patience(tries, seconds), dict(options)))


def user_cache() -> Path:
    """The folder of the cache where no other is named."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "a2v" / "stores"
