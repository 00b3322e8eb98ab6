"""Preloaded by the fork server: imports all that scoring a clip needs, once for all workers."""

from __future__ import annotations

import gc
import importlib

from ...optional import PACKAGES

gc.disable()  # collections during the imports take a fifth of their time and find nothing
for _package in ("librosa.onset", *PACKAGES):
    try:
        importlib.import_module(_package)
    except ImportError:  # scoring the first clip reports it, and how to install it
        continue

from ..alignment import score_clip  # noqa: E402

gc.freeze()  # the workers' collections skip what is imported
gc.enable()

__all__ = ["score_clip"]
