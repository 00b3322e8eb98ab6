"""Everything that scoring a clip needs, imported. Processes that score are forked from one that has it."""

from __future__ import annotations

import gc
import importlib

from ...optional import PACKAGES

gc.disable()  # walking through what imports leave behind takes a fifth of their time and finds nothing
for _package in ("librosa.onset", *PACKAGES):
    try:
        importlib.import_module(_package)
    except ImportError:  # the first clip says what is missing and how to install it
        continue

from ..alignment import score_clip  # noqa: E402

gc.freeze()  # what is imported stays: no process forked from here looks through it again
gc.enable()

__all__ = ["score_clip"]
