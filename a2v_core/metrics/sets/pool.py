"""Worker processes that score clips.

Where the system can, they are forked from a fork server that has imported everything once and has never run a
thread; elsewhere they are spawned. A fork of the calling process itself may hang: torch and
OpenCV may have threads there.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext

_FORK_SERVER = "forkserver"
# Numbers of malloc.h: when glibc gives memory back, and from which size on it does so at once.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEEP_BLOCKS_TO = 32 * 2**20  # bytes, the most that glibc takes


def start_fork_server() -> None:
    """Start the fork server now, so that its imports run beside those of this process."""
    context = _context()
    if context.get_start_method() == _FORK_SERVER:
        from multiprocessing import forkserver

        forkserver.ensure_running()


def make_pool(workers: int) -> ProcessPoolExecutor:
    """A pool of `workers` processes with one thread each."""
    return ProcessPoolExecutor(workers, mp_context=_context(), initializer=init_worker)


def _context() -> BaseContext:
    known = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context(_FORK_SERVER if _FORK_SERVER in known else "spawn")
    if context.get_start_method() == _FORK_SERVER:
        context.set_forkserver_preload([f"{__package__}.worker"])
    return context


def init_worker() -> None:
    """Initialise a worker process: one thread, freed memory kept for the next frame."""
    import torch

    _keep_memory()
    torch.set_num_threads(1)
    try:
        import cv2
        from threadpoolctl import threadpool_limits
    except ImportError:
        return  # scoring the first clip reports what is missing
    cv2.setNumThreads(1)
    threadpool_limits(1)  # BLAS of NumPy and SciPy


def _keep_memory() -> None:
    """Optical flow takes and frees the same large blocks for every frame. Where glibc gives each back to the
    system, clearing new pages costs a tenth of the time. Other C libraries have no such setting.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _KEEP_BLOCKS_TO)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
