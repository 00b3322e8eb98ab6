"""Compares adapters and writes docs/results.md: `python -m training.ablate --write docs/results.md`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from a2v_core.backbones.wan import WanFiles
from a2v_core.demo import DEMO, demo_path

from ..cli import exit_status, log_to_stderr
from ..demo_world.wan.install import installed
from .bases import BASE_TABLES, BaseFiles, BaseRecipe, Bases
from .page import write_page
from .settings import Recipe, Setup
from .tables import TABLES

if TYPE_CHECKING:
    from .jobs import Job

DEFAULT_WORK = Path("build/ablate")
SIZES = {
    "steps": "steps of a training on the loss",
    "start_steps": "steps that fit the tokens to words before",
    "batch": "clips in a step",
    "pool": "clips to train on",
    "clips": "held-out sounds that a row is scored on",
    "sampling_steps": "sampling steps of the scored videos",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status: 1 for bad input, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    log_to_stderr("%(message)s")
    return exit_status(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    from .jobs import finish, finished
    from .run import one_thread_on_cpu

    one_thread_on_cpu()
    paper_jobs, base_jobs = _paper_jobs(options), _base_jobs(options)
    jobs = [*paper_jobs, *base_jobs]
    all_done = finish(jobs, options.minutes)
    paper, bases = finished(paper_jobs), finished(base_jobs)
    if options.write is not None and (paper or bases):
        write_page(options.write, paper or None, bases or None)
    if options.json:
        for record in (*paper, *bases):
            print(json.dumps(record))
    else:
        print(f"{len(paper) + len(bases)} of {len(jobs)} runs are finished, in {options.work}")
    if not all_done:
        print("stopped by --minutes; the same command goes on from there", file=sys.stderr)
    return 0


def _paper_jobs(options: argparse.Namespace) -> list[Job]:
    """The runs of the paper's tables and our own that are asked for."""
    from .caches import Models
    from .run import Ablation
    from .worlds import world_checksum

    if not (tables := [name for name in options.tables if name in TABLES]):
        return []
    models = Models.load(options.beats, options.t2v)
    setup = Setup(_recipe(Recipe(), options), models.checksum, world_checksum())
    return list(Ablation(models, setup, options.work).jobs(tables, options.seeds))


def _base_jobs(options: argparse.Namespace) -> list[Job]:
    """The runs on base models that are asked for."""
    tables = [name for name in options.tables if name in BASE_TABLES]
    transformer, vae = options.wan
    wan = WanFiles(transformer, vae, options.t2v)
    files = BaseFiles(options.beats, options.t2v, wan, options.animatediff)
    return list(Bases(files, _recipe(BaseRecipe(), options), options.work).jobs(tables, options.seeds))


Given = TypeVar("Given", bound=Recipe)


def _recipe(recipe: Given, options: argparse.Namespace) -> Given:
    """The recipe with what the command line gives."""
    given = {name: getattr(options, name) for name in SIZES if getattr(options, name) is not None}
    return replace(recipe, **given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.ablate", description=__doc__)
    parser.add_argument(
        "--tables",
        nargs="+",
        choices=[*TABLES, *BASE_TABLES],
        default=list(TABLES),
        metavar="NAME",
        help=f"which of {', '.join(TABLES)} (all), or of base models: {', '.join(BASE_TABLES)}",
    )
    parser.add_argument("--seeds", type=_positive, default=3, help="trainings per row (3)")
    for name, text in SIZES.items():
        defaults = f"{getattr(Recipe(), name)}; {getattr(BaseRecipe(), name)} for base models"
        parser.add_argument(f"--{name.replace('_', '-')}", type=_positive, help=f"{text} ({defaults})")
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
    parser.add_argument(
        "--animatediff",
        type=Path,
        metavar="FOLDER",
        help="base models: an AnimateDiff of `training.demo_world --only animatediff`",
    )
    parser.add_argument(
        "--wan",
        type=Path,
        nargs=2,
        default=installed(DEMO / "wan")[:2],
        metavar=("TRANSFORMER", "VAE"),
        help="base models: files of a Wan with the text encoder of --t2v (the bundled ones)",
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
