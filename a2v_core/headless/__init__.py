"""Headless runs: a saved workflow JSON -> a ComfyUI server -> files. Command line: `python -m a2v_core.headless`."""
