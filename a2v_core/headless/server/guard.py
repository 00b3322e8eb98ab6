"""A process beside a server of ours that ends it, and deletes its folder, when we are killed.

Whoever is killed outright cannot stop what it started. This waits at a pipe from the process that started
the server: a byte says that all is in order, its end without one that the other end is gone.
Standard library only: it runs by its path, as `python -I -S guard.py PID FOLDER`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time

SECONDS = 10.0


def main(pid: int, folder: str) -> None:
    """Wait at the pipe; end process `pid` and delete `folder` when it closes without a byte."""
    if sys.stdin.buffer.read(1):
        return
    with contextlib.suppress(OSError):  # it may have died before
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    deadline = time.monotonic() + SECONDS
    while os.path.exists(folder) and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)  # files of a dying process may still be open or written
        time.sleep(0.1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
