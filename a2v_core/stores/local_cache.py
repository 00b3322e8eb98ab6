"""A folder of this machine with copies of files from elsewhere, of bounded size, for any number of processes.

    files/ab/abcd...mp4          a copy, whole: it got its name when it was
    coming/ID.mp4, ID.SIZE.room  one that is being written, and the room that is kept for it
    locks/                       of whoever fetches, and of `used`
    used                         bytes of both

Who has used a file last is in its time of access, which is set by hand: many disks do not keep it.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from .errors import StoreError, Unreachable
from .held import delete_unless_held, hold

# Of the bound: so much is left after files had to go, so that the folder is not read for every new one.
_LEFT = 0.9
_WAIT = 0.05  # seconds between two looks for room


class _Used(NamedTuple):
    last: int
    size: int
    path: Path


@dataclass(frozen=True)
class LocalCache:
    """Copies in a folder, `max_bytes` of them at most; those that were not used for longest go first.

    `seconds`: how long a new file waits for room while all others are in use.
    """

    folder: Path
    max_bytes: int
    seconds: float = 120.0

    @contextmanager
    def holding(self, key: str, size: int, make: Callable[[Path], None]) -> Iterator[Path]:
        """The file of a key, of `size` bytes, which `make` writes if it is not there; it stays in the block.

        Whoever asks for the same key meanwhile waits for it. StoreError for a file that is larger than the
        cache, Unreachable when there is no room; else what `make` raises.
        """
        path = self._path(key)
        with ExitStack() as stack:
            while not hold(path, stack):
                with self._lock(path.name[:3]):
                    if not path.exists():
                        self._make(path, size, make, stack)
            with suppress(OSError):
                os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
            yield path

    def kept(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The bytes of a key, from `make` if they are not there."""
        with ExitStack() as stack:
            if hold(self._path(key), stack):
                return self._path(key).read_bytes()
        data = make()
        with self.holding(key, len(data), lambda part: _write(part, data)) as path:
            return path.read_bytes()

    def _path(self, key: str) -> Path:
        """A name from the key, with its ending: some readers of media go by it."""
        name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:40]
        return self.folder / "files" / name[:2] / f"{name}{Path(key).suffix[:12]}"

    def _lock(self, name: str) -> FileLock:
        folder = self.folder / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{name}.lock")

    def _make(self, path: Path, size: int, make: Callable[[Path], None], holder: ExitStack) -> None:
        coming = self.folder / "coming"
        for folder in (coming, path.parent):
            folder.mkdir(parents=True, exist_ok=True)
        name = uuid.uuid4().hex
        part, ticket = coming / f"{name}{path.suffix}", coming / f"{name}.{size}.room"
        with ExitStack() as stack:
            self._reserve(ticket, size, stack)
            try:
                make(part)
                hold(part, holder)  # so that nobody deletes it before it is used
                os.replace(part, path)
            except BaseException:
                part.unlink(missing_ok=True)
                with self._lock("used"):
                    self._write_used(max(0, self._used() - size))
                raise
            finally:
                ticket.unlink(missing_ok=True)

    def _reserve(self, ticket: Path, size: int, stack: ExitStack) -> None:
        """Keep room for a file: `ticket` stands for it while its writer lives."""
        if size > self.max_bytes:
            raise StoreError(
                f"{self.folder}: a file of {size / 1e9:.3f} GB does not fit into this cache of "
                f"{self.max_bytes / 1e9:.3f} GB; raise local_cache_gb"
            )
        deadline = time.monotonic() + self.seconds
        while True:
            with self._lock("used"):
                used = self._used()
                if used + size > self.max_bytes:
                    used = self._make_room(size)
                if used + size <= self.max_bytes:
                    ticket.touch()
                    hold(ticket, stack)
                    self._write_used(used + size)
                    return
            if time.monotonic() > deadline:
                raise Unreachable(
                    f"{self.folder}: all files of the cache are in use and leave no room for "
                    f"{size / 1e9:.3f} GB; raise local_cache_gb"
                )
            time.sleep(_WAIT)

    def _make_room(self, size: int) -> int:
        """Delete files until there is room for `size` bytes; the bytes that are used then, counted anew."""
        files = sorted(self._files())
        used = sum(file.size for file in files) + self._coming()
        for file in files:
            if used + size <= self.max_bytes * _LEFT:
                break
            if delete_unless_held(file.path):
                used -= file.size
        return used

    def _files(self) -> Iterator[_Used]:
        for path in (self.folder / "files").glob("*/*"):
            with suppress(FileNotFoundError):
                stat = path.stat()
                yield _Used(stat.st_atime_ns, stat.st_size, path)

    def _coming(self) -> int:
        """Bytes that are being written; what dead processes left is deleted."""
        kept = 0
        for ticket in (self.folder / "coming").glob("*.room"):
            name, size, _ = ticket.name.split(".")
            if delete_unless_held(ticket):
                for part in ticket.parent.glob(f"{name}*"):
                    part.unlink(missing_ok=True)
            else:
                kept += int(size)
        return kept

    def _used(self) -> int:
        try:
            return int((self.folder / "used").read_text())
        except (FileNotFoundError, ValueError):
            return sum(file.size for file in self._files()) + self._coming()

    def _write_used(self, used: int) -> None:
        (self.folder / "used").write_text(str(used))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
