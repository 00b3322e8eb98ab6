"""One process at a time for a folder; the system lets go of it when the process ends, however it ends."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from ...errors import A2VError


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`. Raises A2VError when another process holds it."""
    with open(folder / "lock", "a+b") as stream:
        try:
            _lock(stream.fileno())
        except OSError as error:
            raise A2VError(
                f"{folder}: another process is working here ({error.strerror}). Wait for it, or name another "
                "--out"
            ) from error
        yield


if sys.platform == "win32":

    def _lock(handle: int) -> None:
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:

    def _lock(handle: int) -> None:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
