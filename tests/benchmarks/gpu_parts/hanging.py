"""A part that has a number and then never ends, and a process of its own that does not either."""

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.gpu.job import Job, Step
from benchmarks.gpu.record import Note


def hang(job: Job, note: Note) -> None:
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    note(first=1, helper=helper.pid, folder=str(Path(job.folder)))
    time.sleep(600)


STEPS = (Step("hang", hang), Step("never", hang))
