"""Fits the adapter (and the demo models): command-line programs, apart from the ComfyUI nodes."""

from a2v_core.processors import share_processors

share_processors()  # here, since it has to come before any module's torch
