"""Tables of results and of verdicts on claims, in Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from .chart import table_svg
from .records import Record
from .stats import PLUS_MINUS, Result, Verdict, judge, results_of
from .tables import R, Table


class Column(NamedTuple):
    """A column: its title, and what a row has in it."""

    title: str
    cell: Callable[[Result], str]


class Filled(NamedTuple):
    """A table with the rows that have runs, and the file of its chart."""

    table: Table
    results: list[Result]
    picture: str

    @property
    def comparable(self) -> bool:
        """Whether there is something to compare."""
        return len(self.results) > 1

    @property
    def svg(self) -> str:
        """The chart."""
        return table_svg(self.table.title, self.results)


def filled(tables: Mapping[str, Table[R]], prefix: str, records: Sequence[Record]) -> list[Filled]:
    """Tables with their results; charts are called by the names of the tables, with a prefix."""
    return [
        Filled(table, results_of(table.rows, records), f"{prefix}_{name}.svg")
        for name, table in tables.items()
    ]


def spread(name: str, digits: int = 2) -> Callable[[Result], str]:
    """Cells of a number: its mean over seeds, and their deviation."""
    return lambda result: result.per_seed(name).show(digits)


def seeds(result: Result) -> str:
    """How many seeds a row has."""
    return str(len(result.runs))


def table_text(shown: Filled, columns: Iterable[Column], heading: str = "##") -> str:
    """A section: title, explanation, chart, rows."""
    title, columns = shown.table.title, list(columns)
    lines = [f"{heading} {title}", "", shown.table.about, "", f"![{title}](images/{shown.picture})", ""]
    rows = [[column.cell(result) for column in columns] for result in shown.results]
    rows = [[column.title for column in columns], ["---"] * len(columns), *rows]
    return "\n".join([*lines, *["| " + " | ".join(row) + " |" for row in rows]])


def verdicts_of(tables: Iterable[Filled]) -> list[Verdict]:
    """On all claims of tables that can be judged."""
    return [verdict for shown in tables for verdict in judge(shown.table.claims, shown.results)]


def here(verdict: Verdict) -> str:
    """The difference that was found."""
    error = f" {PLUS_MINUS} {verdict.error:.2f}" if math.isfinite(verdict.error) else ""
    return f"{verdict.difference:+.2f}{error}"


def charts(tables: Iterable[Filled], images: Path) -> dict[Path, str]:
    """Files of charts, and what is in them."""
    return {images / shown.picture: shown.svg for shown in tables if shown.comparable}
