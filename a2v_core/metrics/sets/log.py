"""The log of finished clips in an output folder: what is there is not scored again.

Every clip is a line, with the identity of its files and settings and a checksum. A process appends to a file
of its own, `clips.jsonl`, or `clips-2.jsonl` when another has that now, and reads all of them.
"""

from __future__ import annotations

import itertools
import json
import logging
from pathlib import Path
from typing import Any

from ...workers import Leases, sealed, unsealed
from ..alignment import Record

CLIP_LOG = "clips.jsonl"
Result = tuple[Record, Record]
_LOG = logging.getLogger(__name__)


class ClipLog:
    """The results of a folder, by the key of their clip."""

    def __init__(self, folder: Path, leases: Leases) -> None:
        self.folder = folder
        self._results: dict[str, Result] = {}
        self._read: dict[Path, int] = {}
        for number in itertools.count(1):
            if leases.take(f"log {number}") is not None:
                self.path = folder / (CLIP_LOG if number == 1 else f"clips-{number}.jsonl")
                break
        self.refresh()

    def get(self, key: str) -> Result | None:
        """The record and curves of a clip, if they were there when the files were last read."""
        return self._results.get(key)

    def refresh(self) -> None:
        """Read what has been added. Lines that are not whole, or not what was written, do not count."""
        for path in sorted(self.folder.glob("clips*.jsonl")):
            start = self._read.get(path, 0)
            with open(path, "rb") as file:
                file.seek(start)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._read[path] = start + len(whole)
            for line in whole.splitlines():
                try:
                    entry = unsealed(json.loads(line))
                    self._results[key_text(entry["key"])] = entry["record"], entry["curves"]
                except (ValueError, KeyError, TypeError):
                    continue

    def append(self, key: Any, result: Result) -> None:
        """Note a clip. Where the disk does not take it, that is said, and the clip counts all the same."""
        self._results[key_text(key)] = result
        line = json.dumps(sealed({"key": key, "record": result[0], "curves": result[1]}))
        try:
            with open(self.path, "a+b") as file:
                # A writer that was killed may have left half a line.
                file.seek(max(0, file.seek(0, 2) - 1))
                torn = file.read() not in (b"", b"\n")
                file.write(f"{chr(10) if torn else ''}{line}\n".encode())
        except OSError as error:
            _LOG.warning("%s: %s was scored but not noted: %s", self.path, result[0].get("video"), error)


def key_text(key: Any) -> str:
    """A key as read or made, as text."""
    return json.dumps(key)
