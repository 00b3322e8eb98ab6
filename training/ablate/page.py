"""Writes docs/results.md and its charts from the records of finished runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from a2v_core.files import atomic_path

from ..errors import DataError
from .chart import table_svg
from .records import Record, to_lines
from .stats import PLUS_MINUS, Result, Verdict, judge, results_of
from .tables import BASE, TABLES, Table

LINES = "ablation.jsonl"
COLUMNS = (
    "",
    "AV-Align",
    "chance",
    "paper",
    "event recall",
    "event precision",
    "right object",
    "validation loss",
    "parameters",
    "training, s",
    "seeds",
)
INTRODUCTION = """\
The paper's tables 2 and 3 again, and some questions of our own, on the demo world, where the time of every
event is known. All of it is made by"""
RESUMING = """\
which trains adapters on the frozen demo text-to-video model, all by one recipe, and scores the videos that
they make of sounds never heard in training. A finished run is not done again; more seeds go on from here."""
READING = f"""\
AV-Align is the published variant, between 0 and 1. *Chance* is the mean score of the same videos with their
sound shifted in time. *Event recall* and *precision* compare leaps in the picture with the true events of
the scene, within one frame; *right object* is the share of videos with the sound's object in its own colour.
*Validation loss* is the noise-prediction error on the held-out clips with one fixed noise. Numbers are means
over seeds, {PLUS_MINUS} their standard deviation. A seed changes the first weights, the order of the clips,
every noise, and the noise that the videos start from; the test sounds stay. *Training* is in seconds of one
processor core, the start from words included.

Differences are taken clip by clip where two rows share their test sounds, {PLUS_MINUS} the standard error
over clips and seeds; a difference of less than two standard errors counts as none. The paper's numbers are
for VGGSound with its own metric code, so only their order can be compared, never their size."""


def write_page(path: Path, records: Sequence[Record]) -> None:
    """Write the page, and into `images/` beside it a chart per table and the records themselves."""
    images = path.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    _write(images / LINES, to_lines(records))
    for name, table in TABLES.items():
        if len(results := results_of(table.rows, records)) > 1:
            _write(images / f"ablation_{name}.svg", table_svg(table.title, results))
    _write(path, page_text(records))


def page_text(records: Sequence[Record]) -> str:
    """The page in Markdown. DataError without runs, and for runs of several set-ups."""
    setups = [record["setup"] for record in records]
    if not setups or any(setup != setups[0] for setup in setups):
        raise DataError("a page needs finished runs, all with the same models, world and settings")
    tables = {name: (table, results_of(table.rows, records)) for name, table in TABLES.items()}
    parts = [_head(records), "## What agrees with the paper, and what does not", _verdicts(tables)]
    parts += ["## How to read the tables", READING]
    parts += [_table(name, table, results) for name, (table, results) in tables.items() if len(results) > 1]
    return "\n\n".join(parts) + "\n"


def _head(records: Sequence[Record]) -> str:
    setup, seeds = records[0]["setup"], 1 + max(record["seed"] for record in records)
    recipe = setup["recipe"]
    options = " ".join(
        f"--{name.replace('_', '-')} {recipe[name]}"
        for name in ("steps", "start_steps", "pool", "clips", "sampling_steps")
    )
    unique = {str(record["variant"]) + str(record["seed"]): record for record in records}
    trained = [run["numbers"]["seconds"] for run in unique.values() if run["numbers"]["parameters"]]
    ceiling = [value for value in _base_ceiling(records) if value is not None]
    best = f" The true videos of the test sounds score {sum(ceiling) / len(ceiling):.2f}." if ceiling else ""
    budget = (
        f"**The budget is small.** Every adapter starts from tokens fitted to words ({recipe['start_steps']} "
        f"steps of the adapter alone) and is then trained for {recipe['steps']} steps of {recipe['batch']} "
        f"clips, {recipe['frames']} frames each, on the published loss; the paper trains for 10,000 steps of "
        f"8 clips. There are {recipe['pool']} clips to train on and {recipe['clips']} test sounds; videos "
        f"are sampled in {recipe['sampling_steps']} steps (DPM-Solver++) with guidance "
        f"{recipe['guidance_scale']:g}. {len(trained)} trainings took {sum(trained) / 60:.0f} minutes of one "
        f"processor core.{best}"
    )
    checksums = f"Frozen models `{setup['models']}`, demo world `{setup['sounds']}` (checksums)."
    command = f"    python -m training.ablate {options} --seeds {seeds} --write docs/results.md"
    return "\n\n".join(["# What carries the alignment", INTRODUCTION, command, RESUMING, budget, checksums])


def _base_ceiling(records: Sequence[Record]) -> list[float | None]:
    for record in records:
        if record["test"]["world"] == BASE.world:
            found: list[float | None] = record["numbers"]["ceiling"]
            return found
    return []


def _verdicts(tables: dict[str, tuple[Table, list[Result]]]) -> str:
    found = [verdict for table, results in tables.values() for verdict in judge(table.claims, results)]
    lines = ["| Claim | Paper | Here | |", "|---|---|---|---|"]
    lines += [_verdict(verdict) for verdict in sorted(found, key=lambda verdict: not verdict.claim.paper)]
    return "\n".join(lines)


def _verdict(verdict: Verdict) -> str:
    paper = "" if verdict.paper is None else f"{verdict.paper:+.2f}"
    error = f" {PLUS_MINUS} {verdict.error:.2f}" if math.isfinite(verdict.error) else ""
    return f"| {verdict.claim.text} | {paper} | {verdict.difference:+.2f}{error} | {verdict.text} |"


def _table(name: str, table: Table, results: Sequence[Result]) -> str:
    lines = [f"## {table.title}", "", table.about, "", f"![{table.title}](images/ablation_{name}.svg)", ""]
    shown = [place for place, column in enumerate(COLUMNS) if column != "paper" or _has_paper(results)]
    rows = [COLUMNS, ("---",) * len(COLUMNS), *[_cells(result) for result in results]]
    lines += ["| " + " | ".join(row[place] for place in shown) + " |" for row in rows]
    return "\n".join(lines)


def _has_paper(results: Sequence[Result]) -> bool:
    return any(result.row.paper is not None for result in results)


def _cells(result: Result) -> tuple[str, ...]:
    parameters = result.per_seed("parameters").mean
    return (
        result.row.label,
        result.per_seed("av_align").show(),
        result.per_seed("chance").show(),
        "" if result.row.paper is None else f"{result.row.paper:.2f}",
        result.per_seed("event_recall").show(),
        result.per_seed("event_precision").show(),
        result.per_seed("object_accuracy").show(),
        result.per_seed("validation_loss").show(4),
        f"{parameters:,.0f}" if parameters else "-",
        f"{result.per_seed('seconds').mean:.0f}" if parameters else "-",
        str(len(result.runs)),
    )


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")
