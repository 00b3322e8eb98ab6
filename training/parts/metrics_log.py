"""Metrics of a training as JSON lines, each with its step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from a2v_core.files import atomic_path


class MetricsLog:
    """The file, opened for appending after step `after`; lines of later steps are removed."""

    def __init__(self, path: Path, after: int) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [line for line in read_lines(path) if line["step"] <= after]
        with atomic_path(path) as part:
            part.write_text("".join(json.dumps(line) + "\n" for line in kept))
        self._file: IO[str] = path.open("a")

    def add(self, values: Mapping[str, float]) -> None:
        """Append a line and flush."""
        self._file.write(json.dumps(dict(values)) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_lines(path: Path) -> list[dict[str, float]]:
    """The lines of a metrics log; an incomplete last line is dropped."""
    if not path.is_file():
        return []
    lines = []
    for line in path.read_text().splitlines():
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return lines
