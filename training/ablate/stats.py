"""Statistics of finished runs: means and deviations per row, differences between rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .records import Record
from .tables import Claim, Row

PLUS_MINUS = "\u00b1"
SIGNIFICANT = 2.0  # standard errors from which on a difference counts


@dataclass(frozen=True)
class Spread:
    """Mean over seeds and, from two seeds on, their standard deviation."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return _mean_of(self.values)

    @property
    def deviation(self) -> float | None:
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else None

    def show(self, digits: int = 2) -> str:
        """Such as `0.61 +- 0.03`; a dash where nothing is defined."""
        if not self.values:
            return "-"
        spread = "" if self.deviation is None else f" {PLUS_MINUS} {self.deviation:.{digits}f}"
        return f"{self.mean:.{digits}f}{spread}"


@dataclass(frozen=True)
class Result:
    """A row with its finished runs, one per seed."""

    row: Row
    runs: tuple[Record, ...]

    def per_seed(self, name: str) -> Spread:
        """A number of each run; for a list over clips its mean. Runs where it is undefined are left out."""
        found = [_mean(run["numbers"][name]) for run in self.runs]
        return Spread(tuple(value for value in found if value is not None))

    def clips(self, name: str) -> dict[tuple[int, int], float]:
        """(seed, number of the clip) -> value, where it is defined."""
        return {
            (run["seed"], number): value
            for run in self.runs
            for number, value in enumerate(run["numbers"][name])
            if value is not None
        }


def results_of(rows: Iterable[Row], records: Sequence[Record]) -> list[Result]:
    """The rows that have a finished run."""
    found = []
    for row in rows:
        variant, test = _as_json(asdict(row.variant)), _as_json(asdict(row.test))
        runs = [run for run in records if run["variant"] == variant and run["test"] == test]
        if runs:
            found.append(Result(row, tuple(sorted(runs, key=lambda run: run["seed"]))))
    return found


@dataclass(frozen=True)
class Verdict:
    """A claim tested: `difference` in AV-Align, with its standard error over clips and seeds."""

    claim: Claim
    difference: float
    error: float
    paper: float | None

    @property
    def significant(self) -> bool:
        return abs(self.difference) > SIGNIFICANT * self.error

    @property
    def text(self) -> str:
        """The verdict as text."""
        if self.claim.same:
            if not self.significant:
                return "no difference found"
            return "**disagrees**" if self.claim.paper else "no"
        if not self.significant:
            return "not decided at this budget"
        if self.difference > 0:
            return "agrees" if self.claim.paper else "yes"
        return "**disagrees**" if self.claim.paper else "no, the other way round"


def judge(claims: Iterable[Claim], results: Sequence[Result]) -> list[Verdict]:
    """Verdicts on the claims whose two rows have runs.

    Rows with the same test sounds are compared clip by clip, others by their means.
    """
    by_label = {result.row.label: result for result in results}
    verdicts = []
    for claim in claims:
        if claim.more not in by_label or claim.less not in by_label:
            continue
        more, less = by_label[claim.more], by_label[claim.less]
        a, b = more.clips("av_align"), less.clips("av_align")
        if more.row.test.world == less.row.test.world:
            pairs = [a[place] - b[place] for place in sorted(a.keys() & b.keys())]
            difference, error = _mean_of(pairs), _standard_error(pairs)
        else:
            difference = _mean_of(list(a.values())) - _mean_of(list(b.values()))
            error = math.hypot(_standard_error(list(a.values())), _standard_error(list(b.values())))
        known = more.row.paper is not None and less.row.paper is not None
        paper = (more.row.paper or 0.0) - (less.row.paper or 0.0) if known else None
        verdicts.append(Verdict(claim, difference, error, paper))
    return verdicts


def _mean_of(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _standard_error(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.inf


def _mean(value: Any) -> float | None:
    if not isinstance(value, list):
        return None if value is None else float(value)
    known = [entry for entry in value if entry is not None]
    return float(np.mean(known)) if known else None


def _as_json(values: dict[str, Any]) -> dict[str, Any]:
    """Tuples as lists, so that values compare with those of a record that was read from JSON."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
