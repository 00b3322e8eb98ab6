"""Seconds that the pack adds to ComfyUI's start, and what it imports then.

    python -m benchmarks.import_time [--comfyui DIR] [--runs N] [--json]

Each run is a process of its own that starts as ComfyUI does, on the CPU and with core's nodes, and then has
ComfyUI's own loader load this checkout. Only that last step is timed: on a busy machine the processor's time
says more than the clock's. `heavy` names the large libraries that
come in with the pack: there should be none.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from a2v_core.comfyui import find_comfyui
from a2v_core.errors import WorkflowError

from .machine import describe_machine

ROOT = Path(__file__).resolve().parents[1]
HEAVY = (
    "accelerate",
    "cv2",
    "diffusers",
    "huggingface_hub",
    "librosa",
    "matplotlib",
    "numba",
    "scipy",
    "sklearn",
    "soundfile",
    "soxr",
    "torchaudio",
    "transformers",
)

# Runs inside ComfyUI, where nothing of this checkout can be imported by name.
_START = """
import asyncio, json, sys, time
comfyui, pack, folder = sys.argv[1:]
sys.path.insert(0, comfyui)
sys.argv = ["main.py", "--cpu", "--base-directory", folder, "--database-url", "sqlite:///:memory:"]
import comfy.options
comfy.options.enable_args_parsing()
import utils.extra_config  # before core puts its folder `comfy`, which has a utils, on the path
import execution, server, nodes
async def load():
    await nodes.init_builtin_extra_nodes()
    known, wall, work = set(sys.modules), time.perf_counter(), time.process_time()
    loaded = await nodes.load_custom_node(pack)
    times = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - work}
    return {"loaded": loaded, **times, "modules": sorted(set(sys.modules) - known)}
print(json.dumps(asyncio.run(load())))
"""


def measure(comfyui: Path, runs: int, pack: Path = ROOT) -> dict[str, Any]:
    """The report, ready for JSON. WorkflowError when ComfyUI does not load the pack."""
    found = [_start(comfyui, pack) for _ in range(runs)]
    seconds, work = ([run[name] for run in found] for name in ("seconds", "cpu_seconds"))
    roots = {name.partition(".")[0] for name in found[0]["modules"]}
    return {
        "machine": describe_machine(),
        "seconds": seconds,
        "cpu_seconds": work,
        "median": statistics.median(seconds),
        "cpu_median": statistics.median(work),
        "modules": len(found[0]["modules"]),
        "heavy": sorted(roots & set(HEAVY)),
    }


def _start(comfyui: Path, pack: Path) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with tempfile.TemporaryDirectory(prefix="a2v-import-") as folder:
        command = [sys.executable, "-c", _START, str(comfyui), str(pack), folder]
        done = subprocess.run(
            command, cwd=comfyui, env=environment, capture_output=True, text=True, check=False
        )
    last = done.stdout.strip().rpartition("\n")[2]
    if done.returncode or not last.startswith("{"):
        raise WorkflowError(f"{comfyui}: ComfyUI does not start:\n{done.stderr.strip()[-2000:]}")
    report: dict[str, Any] = json.loads(last)
    if not report["loaded"]:
        raise WorkflowError(f"{comfyui} does not load {pack}:\n{done.stderr.strip()[-2000:]}")
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status, 1 when there is no ComfyUI or it does not load the pack."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_time", description="Time of import.")
    parser.add_argument(
        "--comfyui", type=Path, metavar="DIR", help="default: COMFYUI_PATH, or the pinned one"
    )
    parser.add_argument("--runs", type=int, default=5, help="processes to start (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        facts = measure(find_comfyui(options.comfyui), max(1, options.runs))
    except WorkflowError as error:
        print(f"import_time: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(facts, indent=1))
        return 0
    times = ", ".join(f"{seconds:.3f}" for seconds in facts["seconds"])
    print(f"seconds  {facts['median']:.3f} (median of {times}); of the processor {facts['cpu_median']:.3f}")
    print(f"modules  {facts['modules']}")
    print(f"heavy    {', '.join(facts['heavy']) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
