"""Writes docs/results.md and its charts from the records of finished runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from a2v_core.files import atomic_path

from ..errors import DataError
from .bases import bases_filled, section_text
from .markdown import Column, Filled, charts, filled, here, seeds, spread, table_text, verdicts_of
from .records import Record, read_records, to_lines
from .stats import PLUS_MINUS, Result
from .tables import BASE, TABLES

LINES, BASE_LINES = "ablation.jsonl", "bases.jsonl"
PICTURES = "ablation"
TITLE = "# What carries the alignment"
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


def _trained(show: Callable[[Result], str]) -> Callable[[Result], str]:
    """A dash where nothing is trained."""
    return lambda result: show(result) if result.per_seed("parameters").mean else "-"


PAPER = Column("paper", lambda result: "" if result.row.paper is None else f"{result.row.paper:.2f}")
COLUMNS = (
    Column("", lambda result: result.row.label),
    Column("AV-Align", spread("av_align")),
    Column("chance", spread("chance")),
    PAPER,
    Column("event recall", spread("event_recall")),
    Column("event precision", spread("event_precision")),
    Column("right object", spread("object_accuracy")),
    Column("validation loss", spread("validation_loss", 4)),
    Column("parameters", _trained(lambda result: f"{result.per_seed('parameters').mean:,.0f}")),
    Column("training, s", _trained(lambda result: f"{result.per_seed('seconds').mean:.0f}")),
    Column("seeds", seeds),
)


def write_page(
    path: Path, records: Sequence[Record] | None = None, base_records: Sequence[Record] | None = None
) -> None:
    """Write the page, and into `images/` beside it a chart per table and the records themselves.

    Records of the paper's tables, or of base models, that are not given are those beside the page.
    """
    images = path.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    records = read_records(images / LINES) if records is None else records
    base_records = read_records(images / BASE_LINES) if base_records is None else base_records
    files = charts([*filled(TABLES, PICTURES, records), *bases_filled(base_records)], images)
    for name, lines in ((LINES, records), (BASE_LINES, base_records)):
        if lines:
            files[images / name] = to_lines(lines)
    for file, text in {**files, path: page_text(records, base_records)}.items():
        _write(file, text)


def page_text(records: Sequence[Record], base_records: Sequence[Record] = ()) -> str:
    """The page in Markdown. DataError without runs, and for runs of several set-ups."""
    if not records and not base_records:
        raise DataError("a page needs finished runs")
    parts = [TITLE]
    parts += _paper_parts(records) if records else []
    parts += [section_text(base_records)] if base_records else []
    return "\n\n".join(parts) + "\n"


def _paper_parts(records: Sequence[Record]) -> list[str]:
    setups = [record["setup"] for record in records]
    if any(setup != setups[0] for setup in setups):
        raise DataError("a page needs finished runs, all with the same models, world and settings")
    tables = filled(TABLES, PICTURES, records)
    parts = [*_head(records), "## What agrees with the paper, and what does not", _verdicts(tables)]
    parts += ["## How to read the tables", READING]
    return [*parts, *[table_text(shown, _columns(shown)) for shown in tables if shown.comparable]]


def _head(records: Sequence[Record]) -> list[str]:
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
    return [INTRODUCTION, command, RESUMING, budget, checksums]


def _base_ceiling(records: Sequence[Record]) -> list[float | None]:
    for record in records:
        if record["test"]["world"] == BASE.world:
            found: list[float | None] = record["numbers"]["ceiling"]
            return found
    return []


def _verdicts(tables: Sequence[Filled]) -> str:
    found = sorted(verdicts_of(tables), key=lambda verdict: not verdict.claim.paper)
    lines = ["| Claim | Paper | Here | |", "|---|---|---|---|"]
    for verdict in found:
        paper = "" if verdict.paper is None else f"{verdict.paper:+.2f}"
        lines.append(f"| {verdict.claim.text} | {paper} | {here(verdict)} | {verdict.text} |")
    return "\n".join(lines)


def _columns(shown: Filled) -> list[Column]:
    has_paper = any(result.row.paper is not None for result in shown.results)
    return [column for column in COLUMNS if has_paper or column is not PAPER]


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")
