"""python -m benchmarks.takes_study [--clips N] [--takes N] [--sets ...] [--json]: does picking gain anything?

Makes several takes of every held-out sound with the bundled models where they differ, picks the best by the
corrected trusted AV-Align as Best Take does, and says what that gains in what is true: leaps at the hits (F1)
and the right object. Beside it the number that picked, and one that did not (AV-Align as published). Finished
clips are kept in --work, and the same command goes on from there.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from a2v_core.texts import write_text

from .sets import TakeSet, make_takes, sets_of
from .summary import Record, summarise

DEFAULT_WORK = Path("build/takes")
COLUMNS = (
    *("f1", "f1_mean", "f1_oracle", "gain_share", "object", "object_mean", "object_oracle"),
    *("picked_score", "mean_score", "equal_score", "reference", "reference_mean", "ties"),
)


def main(arguments: list[str] | None = None) -> int:
    """Run the study and print it; exit code 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.takes_study", description="What picking among takes gains."
    )
    parser.add_argument("--clips", type=int, default=100, help="sounds of every set")
    parser.add_argument("--takes", type=int, default=8, help="of every sound")
    parser.add_argument("--recorded", type=Path, metavar="FOLDER", help="recordings, for the set of drums")
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--work", type=Path, default=DEFAULT_WORK, help="folder of finished clips")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    options = parser.parse_args(arguments)
    if options.clips < 1 or options.takes < 1:
        parser.error("--clips and --takes must be 1 or more")
    sets = sets_of(options.recorded)
    names = options.sets or list(sets)
    if unknown := sorted(set(names) - set(sets)):
        parser.error(f"no set {unknown[0]!r}; there are {', '.join(sets)}")
    options.work.mkdir(parents=True, exist_ok=True)
    tables: dict[str, Any] = {}
    for name in names:
        clips = _finished_clips(options.work / name.replace(" ", "_"), sets[name], options)
        numbers = [number for number in (1, 2, 4, 8) if number <= options.takes]
        tables[name] = [summarise(clips, number) for number in numbers]
        if not options.json:
            print(_text(name, tables[name]), flush=True)
    if options.json:
        print(json.dumps(tables, indent=1))
    return 0


def _finished_clips(folder: Path, one: TakeSet, options: argparse.Namespace) -> list[list[Record]]:
    """The takes of every clip, a file each; those that are missing are made."""
    folder.mkdir(parents=True, exist_ok=True)
    models = cache(one.models)
    clips = []
    for number in range(options.clips):
        path = folder / f"{number}.json"
        takes = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        if len(takes) < options.takes:
            takes = make_takes(models(), one, number, options.takes)
            write_text(path, json.dumps(takes))
            print(f"{folder.name}: {number + 1} of {options.clips}", file=sys.stderr, flush=True)
        clips.append(takes[: options.takes])
    return clips


def _text(name: str, rows: list[dict[str, Any]]) -> str:
    lines = ["", name]
    for row in rows:
        cells = [f"{column} {_cell(row[column])}" for column in COLUMNS]
        lines.append(f"  best of {row['takes']} ({row['picked']} of {row['groups']}): " + ", ".join(cells))
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
