"""A worker on a folder, as a process of its own: `python -m tests.workers.worker FOLDER UNITS SECONDS LEASE`.

Of every unit it writes a line into `log` when it begins and one when it has written the unit's file.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from a2v_core.files import atomic_path
from a2v_core.workers import Leases, Worklist


def note(folder: Path, what: str, unit: str) -> None:
    with open(folder / "log", "a", encoding="ascii") as log:
        log.write(f"{what} {unit} {os.getpid()}\n")


def work(folder: Path, units: int, seconds: float, lease: float) -> None:
    names = {f"unit {number}": f"unit {number}" for number in range(units)}
    with Leases(folder / "leases", lease) as leases:
        worklist = Worklist(names, lambda name: (folder / name).exists(), leases)
        while worklist.left:
            for name, taken in worklist.free():
                note(folder, "begin", name)
                time.sleep(seconds)
                with atomic_path(folder / name) as part:
                    part.write_text(name)
                note(folder, "end", name)
                leases.release(taken)
            worklist.wait()


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
