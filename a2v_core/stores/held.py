"""Files that are not deleted while somebody has them in use, also by another process.

An open file with a shared lock is in use. Locks end with their process, however it ends. Where there are no
such locks (Windows), an open file cannot be deleted anyway.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

_locks: Any
try:
    import fcntl as _locks
except ImportError:  # Windows
    _locks = None


def hold(path: Path, stack: ExitStack) -> bool:
    """Have a file in use until `stack` closes; False when there is no such file."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    stack.enter_context(file)
    if _locks is None:
        return True
    _locks.flock(file, _locks.LOCK_SH)
    try:
        # It may have been deleted between the two.
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def delete_unless_held(path: Path) -> bool:
    """Delete a file that nobody has in use; whether it is gone."""
    try:
        with path.open("rb") as file:
            if _locks is not None:
                _locks.flock(file, _locks.LOCK_EX | _locks.LOCK_NB)
                path.unlink()
                return True
        path.unlink()
    except FileNotFoundError:
        return True
    except (BlockingIOError, PermissionError):
        return False
    return True
