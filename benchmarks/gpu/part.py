"""One part of `benchmarks.gpu`, in a process of its own, which has the libraries already."""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from multiprocessing.connection import wait
from pathlib import Path

import torch

from .card import describe
from .job import Job, Step
from .record import Note, Record


def run_part(
    name: str, module: str, folders: tuple[Path, Path], seconds: float, device: str, tiny: bool
) -> None:
    """All steps of `module` in at most `seconds`; what they find is in NAME.json of the first folder, models
    that parts share are in the second. Ends with the process that began it, however that ends."""
    out, models = folders
    deadline = time.monotonic() + seconds
    tempfile.tempdir = os.environ["TMPDIR"] = str(models)  # files of a part that is killed go with the run
    threading.Thread(target=_end_with_the_runner, daemon=True).start()
    record = Record(out / f"{name}.json", name)
    steps = steps_of(module, record)
    record.machine = describe(torch.device(device))
    with tempfile.TemporaryDirectory(prefix=f"a2v-{name}-") as folder:
        run_steps(steps, Job(torch.device(device), tiny, models, Path(folder), deadline), record)


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


def _end_with_the_runner() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _place(error: Exception) -> str:
    """The line of ours that was running, or else the last one."""
    frames = traceback.extract_tb(error.__traceback__)
    root = str(Path(__file__).resolve().parents[2])
    own = [frame for frame in frames if frame.filename.startswith(root) and "/gpu/" not in frame.filename]
    frame = (own or frames)[-1]
    return f"{frame.filename.removeprefix(root + '/')}:{frame.lineno}"
