"""Fits the adapter (and the demo models): command-line programs, apart from the ComfyUI nodes."""
