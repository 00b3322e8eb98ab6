"""Runs one after the other: those that are missing are done, and each leaves a line when it is finished."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from .records import Record, append_record, read_records
from .settings import Setup, run_key
from .tables import R, Row, Table

_log = logging.getLogger(__name__)


class Job(NamedTuple):
    """A run: its key, the file of its line, what it is called in the log, and what does it."""

    key: str
    records: Path
    label: str
    result: Callable[[], Record]


def jobs_of(
    tables: Iterable[Table[R]],
    seeds: int,
    setup: Callable[[R], Setup],
    record: Callable[[R, int], Record],
    records: Path,
) -> Iterator[Job]:
    """The runs of tables: all rows with the first seed, then all with the next. A row in several tables is
    one run.
    """
    tables, found = list(tables), set()
    for seed in range(seeds):
        for row in (row for table in tables if seed < table.most_seeds for row in table.rows):
            key = run_key(setup(row), row.variant, row.test, seed)
            if key not in found:
                found.add(key)
                yield Job(key, records, _row_label(row), partial(record, row, seed))


def finish(jobs: Iterable[Job], minutes: float = 0.0) -> bool:
    """Do the jobs that have no line yet. With `minutes`, stops before one that would exceed them.

    Returns whether everything is finished.
    """
    began, longest = time.monotonic(), 0.0
    done = cache(lambda path: {record["key"] for record in read_records(path)})
    for job in jobs:
        if job.key in done(job.records):
            continue
        start = time.monotonic()
        if minutes and start - began + longest > 60 * minutes:
            return False
        record = job.result()
        append_record(job.records, record)
        longest = max(longest, time.monotonic() - start)
        _log.info("%s seed %d: %s", job.label, record["seed"], _result_label(record["numbers"]))
    return True


def finished(jobs: Sequence[Job]) -> list[Record]:
    """The records of jobs that are done, in the order of their files."""
    keys = {job.key for job in jobs}
    files = dict.fromkeys(job.records for job in jobs)
    return [record for file in files for record in read_records(file) if record["key"] in keys]


def _row_label(row: Row) -> str:
    """What a row differs in from the defaults of its kind."""
    changed = []
    for part in (row.variant, row.test):
        defaults = asdict(type(part)())
        changed += [f"{name} {value}" for name, value in asdict(part).items() if value != defaults[name]]
    return ", ".join(changed) or "as the demo"


def _result_label(numbers: dict[str, Any]) -> str:
    known = [value for value in numbers["av_align"] if value is not None]
    mean = sum(known) / len(known) if known else float("nan")
    return (
        f"AV-Align {mean:.3f}, recall {numbers['event_recall']:.2f}, {numbers['seconds']:.0f} s of training"
    )
