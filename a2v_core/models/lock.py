"""One process at a time, without a lock file that stays behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import DownloadError


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """Hold the right to make `target`, by a lock file beside it that goes afterwards.

    DownloadError at once when another process or thread has it. The holder deletes the file before it lets it
    go. Who has opened it just before holds a file then that nobody else will find; so the hold counts only
    when the name still leads to the file that was there before.
    """
    from filelock import FileLock, Timeout

    path = target.with_name(f".{target.name}.lock")
    while True:
        before = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
            # No other file has the number of one that is open: the same number means that it never went.
            if _is_at(before, path):
                break
            lock.release()
        except Timeout as error:
            if _is_at(before, path):
                raise DownloadError(
                    f"{target}: another download of it is under way; wait for it to end"
                ) from error
        finally:
            os.close(before)
    try:
        yield
    finally:
        with suppress(PermissionError):  # Windows deletes no open file; it stays there, and does no harm
            path.unlink(missing_ok=True)
        lock.release()


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
