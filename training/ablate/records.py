"""Finished runs: one JSON line each, appended as they finish, found again by their key."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import DataError

Record = dict[str, Any]


def read_records(path: Path) -> list[Record]:
    """All complete lines; an incomplete last line is dropped. DataError for any other invalid line."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    records = []
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines):
                break
            raise DataError(f"{path}: line {number} is no JSON ({error}); delete that line") from error
        if not isinstance(record, dict) or "key" not in record:
            raise DataError(f"{path}: line {number} is no finished run; delete that line")
        records.append(record)
    return records


def append_record(path: Path, record: Record) -> None:
    """Append a line and fsync. An incomplete last line is removed first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if text and not text.endswith("\n"):
        os.truncate(path, len(text[: text.rfind("\n") + 1].encode()))
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(record) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def to_lines(records: Iterable[Record]) -> str:
    """Records as JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records)
