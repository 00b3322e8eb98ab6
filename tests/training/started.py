"""Commands of the trainer as processes of their own, which tests may kill."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tests.warm_client import ask


@dataclass(frozen=True)
class Started:
    """A process of `warm_python`."""

    pid: int
    lines: TextIO

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        assert int(self.lines.readline()) == -signal.SIGKILL


def start(python: str, *arguments: str) -> Started:
    """Start a process with these arguments of Python, and nothing of what it prints."""
    with open(os.devnull, "r+b") as null:
        streams = (null.fileno(),) * 3
        lines = ask(str(Path(python).with_name("socket")), list(arguments), python, streams).makefile()
    return Started(int(lines.readline()), lines)
