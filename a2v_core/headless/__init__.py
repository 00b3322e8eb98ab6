"""Headless runs: a saved workflow JSON -> a ComfyUI server -> files.

`workflow` converts a saved workflow into a prompt (API format), `server` runs the prompt.

Command line: `python -m a2v_core.headless run WORKFLOW.json`; from Python: `run(RunSettings(...))`.
"""

from .runner import RunResult, RunSettings, run
from .server import ComfyServer, InterruptedRun, NodeError, find_comfyui, for_terminal, running_server
from .workflow import to_api

__all__ = [
    "ComfyServer",
    "InterruptedRun",
    "NodeError",
    "RunResult",
    "RunSettings",
    "find_comfyui",
    "for_terminal",
    "run",
    "running_server",
    "to_api",
]
