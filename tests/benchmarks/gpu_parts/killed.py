"""A part that is killed, as where memory runs out."""

import os
import signal

from benchmarks.gpu.job import Job, Step
from benchmarks.gpu.record import Note


def die(job: Job, note: Note) -> None:
    note(before=7)
    print("the last words", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


STEPS = (Step("die", die),)
