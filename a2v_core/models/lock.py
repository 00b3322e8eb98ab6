"""A lock between processes whose lock file is deleted afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import DownloadError


@contextmanager
def exclusive(target: Path) -> Iterator[None]:
    """Hold the lock for writing `target`, by a lock file beside it.

    DownloadError at once when another process or thread holds it. The holder deletes the file before it
    releases the lock. Another process may have opened that file just before, and then locks one that has no
    name any more; so a lock counts only if the path still leads to the file that was opened first.
    """
    from filelock import FileLock, Timeout

    path = target.with_name(f".{target.name}.lock")
    while True:
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
            # No other file gets the inode of an open one: the same inode means that it was never deleted.
            if _is_at(opened, path):
                break
            lock.release()
        except Timeout as error:
            if _is_at(opened, path):
                raise DownloadError(
                    f"{target}: another download of it is under way; wait for it to end"
                ) from error
        finally:
            os.close(opened)
    try:
        yield
    finally:
        with suppress(PermissionError):  # Windows deletes no open file; it stays, and does no harm
            path.unlink(missing_ok=True)
        lock.release()


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
