"""What a part has found so far: written after every number, so that a part that is ended has its numbers."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from a2v_core.files import atomic_path


@dataclass
class Record:
    """The file of a part.

    steps   name -> what was measured, with `ok`, `seconds` and, where it failed, `reason`
    goals   what was hoped for, what was found, and whether that is met: hopes, and not faults where missed
    """

    path: Path
    name: str
    machine: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    goals: list[dict[str, Any]] = field(default_factory=list)
    finished: bool = False
    began: float = field(default_factory=time.monotonic)

    def step(self, name: str) -> Note:
        """Begins a step: it counts as failed until it ends."""
        self.steps[name] = {"ok": False, "seconds": 0.0, "reason": "did not end"}
        return Note(self, name)

    def end(self) -> None:
        """All steps have been tried."""
        self.finished = True
        self.write()

    def write(self) -> None:
        """Atomic: whoever reads the file finds all of it."""
        facts = {
            "name": self.name,
            "ok": self.finished and all(step["ok"] for step in self.steps.values()),
            "seconds": time.monotonic() - self.began,
            "finished": self.finished,
            "machine": self.machine,
            "goals": self.goals,
            "steps": self.steps,
        }
        with atomic_path(self.path) as part:
            part.write_text(json.dumps(facts, indent=1), encoding="utf-8")


@dataclass(frozen=True)
class Note:
    """Where a step puts its numbers; each is on disk when the call returns."""

    record: Record
    name: str
    began: float = field(default_factory=time.monotonic)

    def __call__(self, **numbers: Any) -> None:
        """Adds numbers, or replaces those of the same names by better ones."""
        own = self.record.steps[self.name]
        own |= numbers
        own["seconds"] = time.monotonic() - self.began
        self.record.write()

    def goal(
        self, text: str, found: float, *, at_least: float | None = None, at_most: float | None = None
    ) -> None:
        """Says whether a hope is met; a goal of the same text is replaced."""
        met = (at_least is None or found >= at_least) and (at_most is None or found <= at_most)
        goals = [goal for goal in self.record.goals if goal["goal"] != text]
        self.record.goals[:] = [*goals, {"goal": text, "found": found, "met": met}]
        self.record.write()

    def done(self) -> None:
        """The step has ended well."""
        del self.record.steps[self.name]["reason"]
        self(ok=True)

    def failed(self, reason: str) -> None:
        """The step has ended, and this is why it is not done."""
        self(ok=False, reason=reason)
