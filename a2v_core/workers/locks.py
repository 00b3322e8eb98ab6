"""Locks that the system lets go of when a process ends, however it ends; between processes of one machine."""

from __future__ import annotations

import contextlib
import sys
from typing import BinaryIO

if sys.platform == "win32":

    def lock_shared_with_no_one(stream: BinaryIO) -> None:
        """No lock: there, nobody could read a file that is locked. A dead owner is known by its silence."""

    def is_locked_by_nobody(stream: BinaryIO) -> bool:
        """False: nobody knows."""
        return False
else:
    import fcntl

    def lock_shared_with_no_one(stream: BinaryIO) -> None:
        """Lock an open file while this process has it open. Some disks have no locks: then there is none."""
        with contextlib.suppress(OSError):
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def is_locked_by_nobody(stream: BinaryIO) -> bool:
        """Whether no living process has the lock of an open file; False where there are no locks."""
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
