"""Headless runs: a saved workflow JSON -> a ComfyUI server -> files.

Command line: `python -m a2v_core.headless run WORKFLOW.json`; from Python: `run(RunSettings(...))`.
"""

from .convert import to_api
from .errors import InterruptedRun, NodeError
from .runner import RunResult, RunSettings, run
from .server import ComfyServer, find_comfyui, running_server

__all__ = [
    "ComfyServer",
    "InterruptedRun",
    "NodeError",
    "RunResult",
    "RunSettings",
    "find_comfyui",
    "run",
    "running_server",
    "to_api",
]
