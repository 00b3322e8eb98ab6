"""Compares adapters and writes docs/results.md: `python -m training.ablate --write docs/results.md`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from a2v_core.demo import demo_path

from ..cli import exit_status, log_to_stderr
from .page import write_page
from .records import read_records
from .settings import Recipe, Setup, run_key
from .tables import TABLES

DEFAULT_WORK = Path("build/ablate")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status: 1 for bad input, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    log_to_stderr("%(message)s")
    return exit_status(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    from .caches import Models
    from .run import Ablation, one_thread_on_cpu
    from .worlds import world_checksum

    one_thread_on_cpu()
    recipe = replace(
        Recipe(), **{f.name: getattr(options, f.name) for f in fields(Recipe) if hasattr(options, f.name)}
    )
    models = Models.load(options.beats, options.t2v)
    setup = Setup(recipe, models.checksum, world_checksum())
    ablation = Ablation(models, setup, options.work)
    finished = ablation.run(options.tables, options.seeds, options.minutes)
    requested = {
        run_key(setup, row.variant, row.test, seed): None
        for name in options.tables
        for row in TABLES[name].rows
        for seed in range(options.seeds)
    }
    records = [record for record in read_records(ablation.records) if record["key"] in requested]
    if options.write is not None and records:
        write_page(options.write, records)
    if options.json:
        for record in records:
            print(json.dumps(record))
    else:
        print(f"{len(records)} of {len(requested)} runs are finished, in {ablation.records}")
    if not finished:
        print("stopped by --minutes; the same command goes on from there", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    recipe = Recipe()
    parser = argparse.ArgumentParser(prog="python -m training.ablate", description=__doc__)
    parser.add_argument(
        "--tables",
        nargs="+",
        choices=TABLES,
        default=list(TABLES),
        metavar="NAME",
        help=f"which of {', '.join(TABLES)} (all)",
    )
    parser.add_argument("--seeds", type=_positive, default=3, help="trainings per row (3)")
    for name, text in {
        "steps": "steps of a training on the loss",
        "start_steps": "steps that fit the tokens to words before",
        "pool": "clips to train on",
        "clips": "held-out sounds that a row is scored on",
        "sampling_steps": "sampling steps of the scored videos",
    }.items():
        default = getattr(recipe, name)
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=_positive, default=default, help=f"{text} ({default})"
        )
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="start no run that would not fit into them (0: no limit)"
    )
    parser.add_argument(
        "--work", type=Path, default=DEFAULT_WORK, help=f"folder of caches and finished runs ({DEFAULT_WORK})"
    )
    parser.add_argument("--beats", type=Path, default=demo_path("beats"), help="BEATs file (the bundled one)")
    parser.add_argument(
        "--t2v", type=Path, default=demo_path("t2v"), help="text-to-video folder (the bundled one)"
    )
    parser.add_argument("--json", action="store_true", help="print the finished runs as JSON lines")
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="write the page, its pictures and its lines"
    )
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value}: at least 1 is needed")
    return value


if __name__ == "__main__":
    sys.exit(main())
