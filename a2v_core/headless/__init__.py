"""Headless runs: a saved workflow JSON -> a ComfyUI server -> files.

`workflow` converts a saved workflow into a prompt (API format), `server` runs the prompt, `batch` does so for
many sounds, seeds and settings.

Command line: `python -m a2v_core.headless run WORKFLOW.json`; from Python: `run(RunSettings(...))`. For
batches `python -m a2v_core.headless batch WORKFLOW.json --audio FOLDER` and `run_batch(BatchSettings(...))`.
"""

from .batch import BatchSettings, run_batch
from .runner import RunResult, RunSettings, run
from .server import ComfyServer, InterruptedRun, NodeError, find_comfyui, for_terminal, running_server
from .workflow import to_api

__all__ = [
    "BatchSettings",
    "ComfyServer",
    "InterruptedRun",
    "NodeError",
    "RunResult",
    "RunSettings",
    "find_comfyui",
    "for_terminal",
    "run",
    "run_batch",
    "running_server",
    "to_api",
]
