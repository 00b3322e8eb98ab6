"""One part of `benchmarks.gpu`, in a process of its own: `python -m benchmarks.gpu.part MODULE ...`.

It imports what it needs, then waits for a line on its standard input: how many seconds it has. So the next
part can be made ready while one runs. No line: it ends.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import os
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import torch

from .card import describe
from .job import Job, Step
from .record import Note, Record


def run_steps(steps: Sequence[Step], job: Job, record: Record) -> None:
    """All steps in order: one that fails says why and does not end the others."""
    for step in steps:
        note = record.step(step.name)
        if job.left < (step.needs if job.on_gpu else 0.0):
            note.failed(f"not begun: it takes about {step.needs:.0f} s, {job.left:.0f} s were left")
            continue
        note()
        print(f"{record.name}: {step.name}", flush=True)
        run_step(step, job, note)
    record.end()


def steps_of(module: str, record: Record) -> Sequence[Step]:
    """The steps of a part; where a package is missing that all of them need, none, and the reason."""
    try:
        steps: Sequence[Step] = importlib.import_module(module).STEPS
    except ModuleNotFoundError as error:
        record.step("imports").failed(f"the package {error.name} is missing")
        return ()
    return steps


def run_step(step: Step, job: Job, note: Note) -> None:
    """One step, whatever becomes of it."""
    try:
        step.run(job, note)
    except ModuleNotFoundError as error:
        note.failed(f"the package {error.name} is missing")
    except Exception as error:  # of any kind: what breaks on a device is what we want to know
        traceback.print_exc()
        note.failed(f"{type(error).__name__}: {str(error)[-600:]} ({_place(error)})")
    else:
        note.done()
    gc.collect()
    if job.on_gpu:
        torch.cuda.empty_cache()


def _import_libraries() -> None:
    """What most steps import when they need it, while there is time for it."""
    with contextlib.suppress(ImportError):
        import diffusers
        import transformers

        _ = diffusers.TextToVideoSDPipeline, diffusers.UNet3DConditionModel, diffusers.AutoencoderKLWan
        _ = transformers.CLIPTextModel, transformers.CLIPTokenizer, diffusers.WanTransformer3DModel


def _end_with_the_runner() -> None:
    """Nothing more comes: the input ends when the runner has, however that ended."""
    sys.stdin.read()
    os._exit(1)


def _place(error: Exception) -> str:
    """The line of ours that was running, or else the last one."""
    frames = traceback.extract_tb(error.__traceback__)
    root = str(Path(__file__).resolve().parents[2])
    own = [frame for frame in frames if frame.filename.startswith(root) and "/gpu/" not in frame.filename]
    frame = (own or frames)[-1]
    return f"{frame.filename.removeprefix(root + '/')}:{frame.lineno}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.part")
    parser.add_argument("module", help="the one that has its STEPS")
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--models", type=Path, required=True, metavar="DIR")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args(arguments)
    record = Record(options.out, options.name)
    steps = steps_of(options.module, record)
    _import_libraries()
    line = sys.stdin.readline()
    if not line.strip():
        return 0
    threading.Thread(target=_end_with_the_runner, daemon=True).start()
    deadline = time.monotonic() + float(line)
    record.began = time.monotonic()
    device = torch.device(options.device)
    record.machine = describe(device)
    with tempfile.TemporaryDirectory(prefix=f"a2v-{options.name}-") as folder:
        run_steps(steps, Job(device, options.tiny, options.models, Path(folder), deadline), record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
