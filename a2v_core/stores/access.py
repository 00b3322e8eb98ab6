"""The one place that talks to fsspec: listings, downloads and uploads of any store it knows.

Requests are few: a listing is one request a page (1000 objects of S3), a download one GET, an upload one PUT.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..optional import MissingDependency
from .attempts import Patience
from .digests import Digest, digest_of, not_of_the_content
from .errors import Damaged, StoreError

# So that requests are counted here alone: botocore would send each up to 5 times, s3fs that 5 times again,
# and objects above 50 MB in pieces at once.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "s3": {
        "config_kwargs": {"retries": {"total_max_attempts": 1}, "connect_timeout": 10, "read_timeout": 60},
        "max_concurrency": 1,
    }
}
_PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "hf": "huggingface_hub",
    "abfs": "adlfs",
}
_CHUNK = 2**20


class Found(NamedTuple):
    """An object of a listing: its address, bytes, version (empty if unknown), and checksum if any."""

    url: str
    size: int
    version: str
    digest: Digest | None


@dataclass(frozen=True)
class Access:
    """Stores, reached with these options of fsspec, which may hold secrets and are never shown."""

    patience: Patience
    options: Mapping[str, Any] = field(repr=False, compare=False)

    def listing(self, url: str) -> list[Found]:
        """All objects below an address, in order. StoreError when there is none or it cannot be listed."""

        def attempt(seconds: float) -> dict[str, dict[str, Any]]:
            system = self._system(url)
            system.invalidate_cache()
            path = system._strip_protocol(url)
            found: dict[str, dict[str, Any]] = system.find(path, detail=True, **_limit(system, seconds))
            return found

        found = self.patience.tried(url, attempt)
        root = self._system(url)._strip_protocol(url).rstrip("/")
        rows = []
        for name, info in found.items():
            inside = name == root or name.startswith(f"{root}/")
            if inside and info.get("type") == "file" and not name.endswith("/"):
                rows.append(_found(url + name.removeprefix(root), info))
        return sorted(rows)

    def info(self, url: str) -> Found:
        """One object, by one request. StoreError when it is not there."""

        def attempt(seconds: float) -> dict[str, Any]:
            system = self._system(url)
            system.invalidate_cache()
            info: dict[str, Any] = system.info(url, **_limit(system, seconds))
            return info

        return _found(url, self.patience.tried(url, attempt))

    def download(self, found: Found, target: Path) -> None:
        """Write an object to a file, by one GET if the store is well.

        Damaged when its length or checksum is not that of the listing; other errors as `Patience.tried`.
        """

        def attempt(seconds: float) -> None:
            system = self._system(found.url)
            try:
                system.get_file(found.url, str(target), **_limit(system, seconds))
            except Exception as error:
                if "Checksum" in type(error).__name__:  # botocore's, of objects that were put with one
                    raise _damaged(found.url, str(error)) from error
                raise
            _check(found, target, system)

        self.patience.tried(found.url, attempt, found.size)

    def upload(self, source: Path, url: str) -> None:
        """Put a file under an address: as a whole, or not at all. Errors as `Patience.tried`."""

        def attempt(seconds: float) -> None:
            system = self._system(url)
            system.put_file(str(source), url, **_limit(system, seconds))

        self.patience.tried(url, attempt, source.stat().st_size)

    def _system(self, url: str) -> Any:
        import fsspec

        protocol = url.partition("://")[0].lower()
        defaults = _DEFAULTS.get("s3" if protocol == "s3a" else protocol, {})
        try:
            system = fsspec.filesystem(protocol, **{**defaults, **self.options})
        except ImportError as error:
            package = _PACKAGES.get(protocol, "fsspec's package for it")
            raise MissingDependency(
                f"{url}: reading from {protocol}:// needs the package {package} ({error}); "
                f"install it: pip install {package}"
            ) from error
        except (ValueError, TypeError) as error:
            raise StoreError(
                f"{url}: cannot be opened with these storage_options ({type(error).__name__}: {error})"
            ) from error
        if hasattr(type(system), "retries"):
            system.retries = 1
        return system


def _limit(system: Any, seconds: float) -> dict[str, float]:
    """fsspec bounds the time of stores that it runs in its own loop; others have limits themselves."""
    return {"timeout": seconds} if getattr(system, "async_impl", False) else {}


def _found(url: str, info: Mapping[str, Any]) -> Found:
    version = next(
        (str(info[key]) for key in ("ETag", "etag", "blob_id", "generation", "mtime") if info.get(key)), ""
    )
    return Found(url, int(info["size"] or 0), version.strip('"'), digest_of(info))


def _check(found: Found, path: Path, system: Any) -> None:
    size = path.stat().st_size
    if size != found.size:
        raise Damaged(
            f"{found.url}: has {size} bytes, the listing says {found.size}: it was cut off or changed since; "
            "run the same again to list the store anew"
        )
    if found.digest is None:
        return
    digest = hashlib.new(found.digest.algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != found.digest.value and not not_of_the_content(system, found.url):
        what = f"{found.digest.algorithm} is {digest.hexdigest()}, the store says {found.digest.value}"
        raise _damaged(found.url, what)


def _damaged(url: str, what: str) -> Damaged:
    return Damaged(
        f"{url}: wrong checksum ({what}): it is damaged, or has changed since it was listed; upload it again"
    )
