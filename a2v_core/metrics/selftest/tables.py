"""The results of a self-test as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .run import SelfTest
from .trial import Results, shortest_told


def selftest_record(test: SelfTest) -> dict[str, Any]:
    """Ready for JSON: clips, measures -> perturbations -> counts, accuracy, interval, AUROC."""
    return {
        "clips": list(test.clips),
        "bad": [list(entry) for entry in test.bad],
        "measures": results_record(test.results),
    }


def results_record(results: Results) -> dict[str, Any]:
    """Measure -> its trials, and the shortest offset that it tells."""
    return {
        measure: {
            "shortest_told_ms": shortest_told(tasks),
            "perturbations": {
                name: {
                    "accuracy": trials.accuracy,
                    "interval": list(trials.interval),
                    "auroc": trials.auroc,
                    "right": trials.right,
                    "ties": trials.ties,
                    "undefined": trials.undefined,
                    "count": trials.count,
                }
                for name, trials in tasks.items()
            },
        }
        for measure, tasks in results.items()
    }


def selftest_lines(test: SelfTest) -> str:
    """The table for a terminal: accuracy of every measure with its 95 % interval."""
    lines = [
        f"{len(test.clips)} clips; how often the own sound scores above a wrong one (0.5 is guessing)",
        "",
    ]
    lines += _columns(selftest_cells(test.results))
    lines += [f"not read: {reason}" for _, reason in test.bad]
    return "\n".join(lines)


def selftest_cells(results: Results) -> list[list[str]]:
    """Head and rows of the table, as words."""
    names = list(results)
    tasks = list(results[names[0]])
    rows = [["wrong sound", *names]]
    for task in tasks:
        found = [results[name][task] for name in names]
        rows.append([task, *(f"{t.accuracy:.2f} ({t.interval[0]:.2f}-{t.interval[1]:.2f})" for t in found)])
    told = [shortest_told(results[name]) for name in names]
    rows.append(["told from (ms)", *("-" if ms is None else str(ms) for ms in told)])
    return rows


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
