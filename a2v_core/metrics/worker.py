"""Everything that scoring a clip needs, imported. Processes that score are forked from one that has it."""

from __future__ import annotations

import importlib

from .optional import PACKAGES

for _package in ("librosa.onset", *PACKAGES):
    try:
        importlib.import_module(_package)
    except ImportError:  # the first clip says what is missing and how to install it
        continue

from . import clip  # noqa: E402

__all__ = ["clip"]
