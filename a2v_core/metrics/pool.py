"""Processes that score clips.

Where the system can, they are forked from a helper process that has imported everything once and has never
run a thread; elsewhere each is started afresh. A fork of the calling process itself may hang: torch and
OpenCV may have threads there.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext

_FORK_SERVER = "forkserver"


def start_helper() -> None:
    """Start the helper process now, so that its imports run beside those of this process."""
    context = _context()
    if context.get_start_method() == _FORK_SERVER:
        from multiprocessing import forkserver

        forkserver.ensure_running()


def make_pool(workers: int) -> ProcessPoolExecutor:
    """A pool of that many processes, each of one thread: they share the cores between them."""
    return ProcessPoolExecutor(workers, mp_context=_context(), initializer=_one_thread)


def _context() -> BaseContext:
    known = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context(_FORK_SERVER if _FORK_SERVER in known else "spawn")
    if context.get_start_method() == _FORK_SERVER:
        context.set_forkserver_preload([f"{__package__}.worker"])
    return context


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
    try:
        import cv2
    except ImportError:
        return  # the first clip says so
    cv2.setNumThreads(1)
