"""Runs parts one after the other, each in a process of its own with a time limit.

What a part has written is kept whatever becomes of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from typing import Any

from a2v_core.files import atomic_path

from .parts import Part

ROOT = Path(__file__).resolve().parents[2]
REPORT = "report.json"
TAIL_LINES = 15
GRACE = 5.0  # seconds between being asked to end and being made to


@dataclass(frozen=True)
class Plan:
    """How the parts run.

    out      folder of the results: NAME.json and NAME.log of every part, report.json
    models   folder for models that parts share
    seconds  for all of them
    """

    out: Path
    models: Path
    seconds: float
    device: str
    tiny: bool


class Child:
    """The process of a part, at work; it is given `seconds`."""

    def __init__(self, part: Part, plan: Plan, seconds: float) -> None:
        self.part = part
        self.file, self.log = plan.out / f"{part.name}.json", plan.out / f"{part.name}.log"
        self.file.unlink(missing_ok=True)
        facts = (part.name, part.module, (plan.out, plan.models), seconds, plan.device, plan.tiny)
        self._process = processes(plan.device).Process(target=_in_its_process, args=(self.log, *facts))
        self._seconds = seconds
        self._process.start()  # for the first: once the libraries are imported
        self._began = time.monotonic()

    def wait(self) -> dict[str, Any]:
        """The part's row of the report, when it has ended or its time is over."""
        self._process.join(self._seconds)
        code = self._process.exitcode
        if code is None:
            self.stop()
            return self._row(f"ended after its {self._seconds:.0f} s")
        return self._row(_why(code) if code else "")

    def stop(self) -> None:
        """End it and all that it has started in its session, whatever it does."""
        assert self._process.pid is not None
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            self._process.join(GRACE)

    def _row(self, fault: str) -> dict[str, Any]:
        seconds = time.monotonic() - self._began
        found = read_json(self.file)
        steps = found.get("steps", {})
        bad = [f"{name}: {step['reason']}" for name, step in steps.items() if not step["ok"]]
        if fault:
            bad = [fault, *bad]
        elif not found:
            bad = ["it wrote nothing"]
        row = {"name": self.part.name, "about": self.part.about, "ok": not bad, "seconds": seconds}
        row |= {"cut": bool(fault), "goals": found.get("goals", []), "steps": steps}
        if bad:
            row |= {"reason": "; ".join(bad), "output": tail(self.log)}
        return row | ({"machine": found["machine"]} if found.get("machine") else {})


def run(parts: Sequence[Part], plan: Plan, tell: Callable[[str], None]) -> dict[str, Any]:
    """The report; after every part it is also in `report.json`. Ctrl-C ends it early, with what there is.

    Each part gets its share of the time that is left, so what one saves the later ones have.
    """
    began = time.monotonic()
    rows: list[dict[str, Any]] = []
    stopped = False
    try:
        for number, part in enumerate(parts):
            left = plan.seconds - (time.monotonic() - began)
            limit = max(1.0, left * part.share / sum(other.share for other in parts[number:]))
            tell(f"{part.name}: at most {limit:.0f} s")
            child = Child(part, plan, limit)
            try:
                rows.append(child.wait())
            finally:
                child.stop()
            write_json(plan.out / REPORT, report_of(rows, plan, time.monotonic() - began, stopped))
            tell(f"{part.name}: {'ok' if rows[-1]['ok'] else rows[-1]['reason'][:300]}")
    except KeyboardInterrupt:
        stopped = True
    report = report_of(rows, plan, time.monotonic() - began, stopped)
    write_json(plan.out / REPORT, report)
    return report


def report_of(rows: Sequence[dict[str, Any]], plan: Plan, seconds: float, stopped: bool) -> dict[str, Any]:
    """All parts together: what is the same in all of them stands once."""
    machine: dict[str, Any] = next((row["machine"] for row in rows if "machine" in row), {})
    own = [{key: value for key, value in row.items() if key != "machine"} for row in rows]
    return {
        "ok": bool(rows) and not stopped and all(row["ok"] for row in rows),
        "seconds": seconds,
        "device": plan.device,
        "tiny": plan.tiny,
        "stopped": stopped,
        "machine": machine,
        "parts": own,
    }


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; nothing where there is none."""
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Atomic."""
    with atomic_path(path) as part:
        part.write_text(json.dumps(content, indent=1), encoding="utf-8")


def tail(log: Path) -> list[str]:
    """The last lines of a log."""
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]


def processes(device: str) -> ForkServerContext | SpawnContext:
    """Where processes of parts come from: forked from one that has imported the libraries without touching
    the device, or, where that needs NVML and there is none, new ones."""
    if device != "cpu":
        try:
            ctypes.CDLL("libnvidia-ml.so.1")
        except OSError:
            return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.gpu.libraries"])
    return context


def _in_its_process(log: Path, *facts: Any) -> None:
    """A session of its own, whose output is `log`, then the part."""
    os.setsid()
    with open(log, "wb") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
            stream.reconfigure(write_through=True)  # type: ignore[union-attr]
    from .part import run_part  # imports torch

    run_part(*facts)


def _why(code: int) -> str:
    if code >= 0:
        return f"its process ended with status {code}"
    return f"its process was ended by {signal.Signals(-code).name}"
