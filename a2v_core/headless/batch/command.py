"""`python -m a2v_core.headless batch`: options, what is printed, exit code."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ...metrics.takes import pick_line
from ...workers import add_options, placement_of
from .results import CSV, Results, as_json
from .run import WAIT_SECONDS, BatchSettings, run_batch

DONE, NOTHING_DONE, SOME_FAILED = 0, 1, 3

DESCRIPTION = """Run a workflow once for every sound of a folder, row of a table and seed, on one or several
servers. Files are named after sound, row and seed; runs.csv and runs.json in --out say what became of every
run. The same command goes on where a killed one stopped, and runs what has changed or failed."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """The options of `batch` but those that it has in common with `run`."""
    command = commands.add_parser(
        "batch", help="run a workflow for many sounds, seeds and settings", description=DESCRIPTION
    )
    command.add_argument("--audio", type=Path, metavar="FOLDER", help="sounds, searched through; or one file")
    command.add_argument(
        "--table",
        type=Path,
        metavar="CSV",
        help="a row a run: columns NODE.INPUT as in --set, also `audio` (a file) and `id` (a name)",
    )
    command.add_argument(
        "--seeds", type=int, metavar="N", help="seeds 0 to N - 1 for each, in every seed that is not set"
    )
    command.add_argument(
        "--keep",
        choices=("all", "best"),
        default="all",
        help="best: of the seeds of a sound, the video with the highest corrected trusted AV-Align",
    )
    command.add_argument(
        "--wait",
        type=float,
        default=WAIT_SECONDS,
        metavar="SECONDS",
        help="for a server that is away (default: %(default).0f)",
    )
    add_options(command)
    command.set_defaults(do=run_command)
    return command


def run_command(options: argparse.Namespace) -> int:
    """Run the batch and print what came of it."""
    settings = BatchSettings(
        options.workflow,
        audio=options.audio,
        table=options.table,
        seeds=options.seeds,
        keep=options.keep,
        out=options.out,
        overrides=options.overrides,
        wait=options.wait,
    )
    results = run_batch(
        settings, servers=options.server or (), comfyui=options.comfyui, placement=placement_of(options)
    )
    if options.json:
        print(json.dumps(as_json(results), indent=2))
    else:
        _show(results)
    if results.done == len(results.runs):
        return DONE
    return SOME_FAILED if results.done else NOTHING_DONE


def _show(results: Results) -> None:
    for path in results.files:
        print(path)
    for name, found in results.picks.items():
        print(f"{name}: {pick_line(found)}", file=sys.stderr)
    for unit, row in results.runs:
        if row is None or row.status != "done":
            print(f"{unit.id}: {row.error if row else 'not run, no server was left'}", file=sys.stderr)
    print(f"{results.done} of {len(results.runs)} runs done; {results.out / CSV}", file=sys.stderr)
