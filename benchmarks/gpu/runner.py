"""Runs parts one after the other, each in a process of its own with a time limit.

What a part has written is kept whatever becomes of it. While one runs, the next gets ready: it imports what
it needs and waits for its turn, without touching the device.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
    """The process of a part; it waits until `run`."""

    def __init__(self, part: Part, plan: Plan) -> None:
        self.part = part
        self.file, self.log = plan.out / f"{part.name}.json", plan.out / f"{part.name}.log"
        self.file.unlink(missing_ok=True)
        command = [sys.executable, "-u", "-m", "benchmarks.gpu.part", part.module, "--name", part.name]
        command += ["--out", str(self.file), "--models", str(plan.models), "--device", plan.device]
        command += ["--tiny"] if plan.tiny else []
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Temporary files of a part that is killed go with the run.
                env={**os.environ, "TMPDIR": str(plan.models)},
                start_new_session=True,
            )

    def run(self, limit: float) -> dict[str, Any]:
        """Let it work for at most `limit` seconds; the part's row of the report."""
        began = time.monotonic()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended already: its log says why
            self._process.stdin.write(f"{limit}\n".encode())
            self._process.stdin.flush()
        try:
            self._process.wait(limit)
        except subprocess.TimeoutExpired:
            self.stop()
            return self._row(time.monotonic() - began, f"ended after its {limit:.0f} s")
        code = self._process.returncode
        return self._row(time.monotonic() - began, _why(code) if code else "")

    def stop(self) -> None:
        """End it and all that it has started in its session, whatever it does."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()

    def _row(self, seconds: float, fault: str) -> dict[str, Any]:
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
    children: list[Child] = []
    try:
        for number, part in enumerate(parts):
            rest = parts[number:]
            child = children.pop() if children else Child(part, plan)
            left = plan.seconds - (time.monotonic() - began)
            limit = max(1.0, left * part.share / sum(other.share for other in rest))
            tell(f"{part.name}: at most {limit:.0f} s")
            children += [Child(other, plan) for other in rest[1:2]]
            try:
                rows.append(child.run(limit))
            finally:
                child.stop()
            write_json(plan.out / REPORT, report_of(rows, plan, time.monotonic() - began, stopped))
            tell(f"{part.name}: {'ok' if rows[-1]['ok'] else rows[-1]['reason'][:300]}")
    except KeyboardInterrupt:
        stopped = True
    finally:
        for child in children:
            child.stop()
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


def _why(code: int) -> str:
    if code >= 0:
        return f"its process ended with status {code}"
    return f"its process was ended by {signal.Signals(-code).name}"
