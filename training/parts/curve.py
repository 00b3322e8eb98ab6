"""The numbers of a training in a file of JSON lines, each with the step after which it was written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from a2v_core.files import atomic_path


class Curve:
    """The file, open for writing after step `after`; later lines, of steps that will be redone, are cut."""

    def __init__(self, path: Path, after: int) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [line for line in read_lines(path) if line["step"] <= after]
        with atomic_path(path) as part:
            part.write_text("".join(json.dumps(line) + "\n" for line in kept))
        self._file: IO[str] = path.open("a")

    def add(self, values: Mapping[str, float]) -> None:
        """Write a line at once."""
        self._file.write(json.dumps(dict(values)) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_lines(path: Path) -> list[dict[str, float]]:
    """The lines of a curve; a last line that a kill cut off is left out."""
    if not path.is_file():
        return []
    lines = []
    for line in path.read_text().splitlines():
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return lines
