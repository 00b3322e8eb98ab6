"""The rows of a batch as its user gets them: runs.csv, runs.json, and lines on the screen."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...files import remove_parts
from ...metrics.takes import Pick, verdict_of
from ...texts import write_text
from ...workers import Leases
from .best import groups_of, pick
from .plan import Unit
from .rows import Row, Rows
from .scores import Scores

CSV, JSON = "runs.csv", "runs.json"
NOT_RUN = "not run"
SECONDS_BETWEEN = 10.0
ALONE_SECONDS = 2.0
_SCORES = ("trusted", "chance", "corrected", "p_value", "reason")


@dataclass(frozen=True)
class Results:
    """The runs in their order, with their rows where they have one; with --keep best the pick of every
    group, by its name."""

    out: Path
    runs: list[tuple[Unit, Row | None]]
    picks: dict[str, Pick]

    @property
    def done(self) -> int:
        """Number of runs that have succeeded."""
        return sum(row is not None and row.status == "done" for _, row in self.runs)

    @property
    def files(self) -> Iterator[Path]:
        """The files that are there."""
        return (self.out / name for _, row in self.runs if row is not None for name in row.files)

    def verdict(self, unit: Unit, row: Row | None) -> str:
        """What became of a take: best, tie (the best is not clearly better), beaten, undefined."""
        found = self.picks.get(unit.group)
        if found is None or row is None or row.status != "done" or row.scores is None:
            return ""
        return "undefined" if row.scores.corrected is None else verdict_of(found, unit.id, row.scores)


class Report:
    """Gathers the results of a batch and writes them into its folder."""

    def __init__(self, rows: Rows, units: Sequence[Unit], best: bool, leases: Leases) -> None:
        self.rows, self.units, self.best, self.leases = rows, units, best, leases
        self._written = time.monotonic()
        with self._alone():
            pass  # what a killed process has left is gone from now on

    def results(self) -> Results:
        """The results as they stand."""
        runs = [(unit, self.rows.get(unit.id)) for unit in self.units]
        groups = groups_of(self.units) if self.best else {}
        return Results(self.rows.out, runs, {name: pick(self.rows, takes) for name, takes in groups.items()})

    def keep_up(self) -> None:
        """Write, unless that was done a moment ago."""
        if time.monotonic() - self._written > SECONDS_BETWEEN:
            self.write()

    def write(self) -> Results:
        """Write both files, with what other processes have made; returns what is in them."""
        self.rows.refresh_all()
        results = self.results()
        with self._alone():
            write_text(self.rows.out / CSV, as_csv(results))
            write_text(self.rows.out / JSON, json.dumps(as_json(results), indent=1))
        self._written = time.monotonic()
        return results

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other process writes these files, if that comes to be in a moment."""
        lease = self.leases.take(CSV)
        end = time.monotonic() + ALONE_SECONDS
        while lease is None and time.monotonic() < end:
            time.sleep(0.05)
            lease = self.leases.take(CSV)
        if lease is not None and lease.number > 1:
            for name in (CSV, JSON):
                remove_parts(self.rows.out / name)
        try:
            yield
        finally:
            if lease is not None:
                self.leases.release(lease)


def as_csv(results: Results) -> str:
    """One line a run; numbers that are undefined are empty."""
    columns = list(dict.fromkeys(key for unit, _ in results.runs for key, _ in unit.inputs))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            *("id", "sound", "seed", *columns, "status", "error", "files", "seconds", "server", "pick"),
            *_SCORES,
        ]
    )
    for unit, row in results.runs:
        inputs = dict(unit.inputs)
        scores = _scores(row)
        writer.writerow(
            [unit.id, unit.shown, _shown(unit.seed), *(inputs.get(column, "") for column in columns)]
            + [row.status if row else NOT_RUN, row.error if row else "", " ".join(row.files) if row else ""]
            + [row.seconds if row else "", row.server if row else "", results.verdict(unit, row)]
            + [_shown(getattr(scores, name, None)) for name in _SCORES]
        )
    return text.getvalue()


def as_json(results: Results) -> dict[str, Any]:
    """Everything; `--json` prints it."""
    whole = results.done == len(results.runs)
    return {
        "status": "done" if whole else "incomplete" if results.done else "failed",
        "out": str(results.out),
        "runs": [_run(results, unit, row) for unit, row in results.runs],
        "picks": [{"group": name, **asdict(found)} for name, found in results.picks.items()],
    }


def _run(results: Results, unit: Unit, row: Row | None) -> dict[str, Any]:
    scores = _scores(row)
    return {
        "id": unit.id,
        "sound": unit.shown,
        "seed": unit.seed,
        "inputs": dict(unit.inputs),
        "status": row.status if row else NOT_RUN,
        "error": row.error if row else "",
        "files": [str(results.out / name) for name in row.files] if row else [],
        "dropped": list(row.dropped) if row else [],
        "seconds": row.seconds if row else None,
        "server": row.server if row else "",
        "pick": results.verdict(unit, row),
        "scores": scores and asdict(scores),
    }


def _scores(row: Row | None) -> Scores | None:
    return row.scores if row else None


def _shown(value: object) -> object:
    return "" if value is None else value
