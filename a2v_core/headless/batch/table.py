"""The table of a batch: a row a run, a column an input of a node, as `run --set NODE.INPUT=VALUE` names it.

Two columns have names without a dot: `audio`, the sound of the row, and `id`, its name. Commas, semicolons
and tabs separate. An empty cell leaves what the workflow has.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ...errors import A2VError
from ...texts import read_text

ID, AUDIO = "id", "audio"


@dataclass(frozen=True)
class TableRow:
    """One row. `inputs`: (NODE.INPUT, value) of its cells; `audio`: as written, relative to the table."""

    name: str
    audio: str | None
    inputs: tuple[tuple[str, str], ...]


def read_table(path: Path) -> list[TableRow]:
    """The rows of a CSV file. Raises A2VError: no such file, no rows, columns or names that do not fit."""
    try:
        text = read_text(path)
    except OSError as error:
        raise A2VError(f"--table {path} cannot be read: {error.strerror}") from error
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(line)]
    if len(lines) < 2:
        raise A2VError(
            f"--table {path} has no rows: expected a line of column names and a line for every run"
        )
    columns = _columns(path, lines[0])
    rows = [_row(path, number, columns, cells) for number, cells in enumerate(lines[1:], 1)]
    twice = [name for name, count in Counter(row.name for row in rows).items() if count > 1]
    if twice:
        raise A2VError(f"--table {path}: the id {twice[0]!r} stands in several rows; give every row its own")
    return rows


def _columns(path: Path, cells: list[str]) -> list[str]:
    columns = [cell.strip() for cell in cells]
    wrong = [name for name in columns if name not in (ID, AUDIO) and "." not in name]
    if wrong:
        raise A2VError(
            f"--table {path}: the column {wrong[0]!r} sets nothing; expected NODE.INPUT, say 3.seed or "
            f"T2V Sampler.steps, or {AUDIO} or {ID}"
        )
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise A2VError(f"--table {path}: the column {twice[0]!r} is there twice")
    return columns


def _row(path: Path, number: int, columns: list[str], cells: list[str]) -> TableRow:
    if len(cells) > len(columns):
        raise A2VError(
            f"--table {path}: row {number} has {len(cells)} cells, and there are {len(columns)} columns; "
            "put quotes around a value with a comma"
        )
    values = {name: cell for name, cell in zip(columns, cells, strict=False) if cell}
    name, audio = values.pop(ID, f"row{number}"), values.pop(AUDIO, None)
    return TableRow(name, audio, tuple(values.items()))
