"""The section of docs/results.md about base models."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import DataError
from ..markdown import Column, Filled, filled, here, seeds, spread, table_text, verdicts_of
from ..records import Record
from ..stats import PLUS_MINUS
from .tables import BASE_TABLES

TITLE = "## Does the base model matter?"
INTRODUCTION = """\
The paper leaves open whether its method carries over to other text-to-video models. Here are three small
ones of the same demo world: a UNet3D, as ModelScope is, an AnimateDiff, and a Wan, whose text is one for
the whole clip and whose latent frames stand for four. What brings the sound in is trained alike on all of
them: the same sounds, the same BEATs, an AudioMapper of the same sizes, as many steps of as many clips.
Made by"""
READING = f"""\
*Text kept* is the share of videos from the sound and a text that asks for another colour that have that
colour and leap with the sound (F1 of the events at least 2/3). *Validation loss* is of another kind for
every base, whose noise and latents differ: compare it within a base. *Trained parameters* are those of the
AudioMapper, and for Wan of the layers between the blocks as well. *Seconds a step* and *seconds a video*
are of one processor core. The other columns are those of the tables above. The three bases are not equally
well trained, nor equally large: a row says what the method gives on this base, not what the base gives at
its best.

The adapters of the words begin with tokens fitted to words, which Wan has no use for: its sound does not
come in through text. The row without that start says what it is worth. In the loss the object weighs more
than the wall, for all. Differences are taken clip by clip, {PLUS_MINUS} the standard error over clips and
seeds; less than two standard errors counts as none."""
COLUMNS = (
    Column("", lambda result: result.row.label),
    Column("AV-Align", spread("av_align")),
    Column("chance", spread("chance")),
    Column("event recall", spread("event_recall")),
    Column("event precision", spread("event_precision")),
    Column("right object", spread("object_accuracy")),
    Column("text kept", spread("text_kept")),
    Column("validation loss", spread("validation_loss", 4)),
    Column("trained parameters", lambda result: f"{result.per_seed('parameters').mean:,.0f}"),
    Column("seconds a step", lambda result: f"{result.per_seed('step_seconds').mean:.2f}"),
    Column("seconds a video", lambda result: f"{result.per_seed('video_seconds').mean:.2f}"),
    Column("seeds", seeds),
)


def bases_filled(records: Sequence[Record]) -> list[Filled]:
    """The tables of base models with their results."""
    return filled(BASE_TABLES, "bases", records)


def section_text(records: Sequence[Record]) -> str:
    """The section in Markdown. DataError for runs of several recipes, or with several files of a base."""
    setups = {record["variant"]["base"]: record["setup"] for record in records}
    if any(record["setup"] != setups[record["variant"]["base"]] for record in records) or any(
        setup["recipe"] != records[0]["setup"]["recipe"] for setup in setups.values()
    ):
        raise DataError("the base models need finished runs, all with the same models, world and settings")
    tables = bases_filled(records)
    shown = [table for table in tables if table.comparable]
    parts = [TITLE, INTRODUCTION, _command(records), _budget(records), _checksums(setups)]
    parts += [_verdicts(tables), READING, *[table_text(table, COLUMNS, "###") for table in shown]]
    return "\n\n".join(parts)


def _command(records: Sequence[Record]) -> str:
    recipe, count = records[0]["setup"]["recipe"], 1 + max(record["seed"] for record in records)
    options = " ".join(
        f"--{name.replace('_', '-')} {recipe[name]}"
        for name in ("steps", "start_steps", "batch", "pool", "clips", "sampling_steps")
    )
    return (
        "    python -m training.demo_world --only animatediff\n"
        f"    python -m training.ablate --tables {' '.join(BASE_TABLES)} {options} --seeds {count} \\\n"
        "        --animatediff build/demo_world/animatediff --write docs/results.md"
    )


def _budget(records: Sequence[Record]) -> str:
    recipe = records[0]["setup"]["recipe"]
    trainings = {
        str(record["variant"]) + str(record["seed"]): record["numbers"]["seconds"] for record in records
    }
    minutes = sum(trainings.values()) / 60
    return (
        f"**The budget is small**: {recipe['steps']} steps of {recipe['batch']} clips of "
        f"{recipe['num_frames']} frames, of which the UNets see {recipe['frames']} at a time; for words "
        f"{recipe['start_steps']} steps before, of the AudioMapper alone. There are {recipe['pool']} clips "
        f"to train on. Videos take {recipe['sampling_steps']} steps with guidance "
        f"{recipe['guidance_scale']:g}: DPM-Solver++ for the UNets, Euler for Wan. {len(trainings)} "
        f"trainings took {minutes:.0f} minutes of one processor core."
    )


def _checksums(setups: dict[str, dict[str, str]]) -> str:
    models = ", ".join(f"{base} `{setup['models']}`" for base, setup in sorted(setups.items()))
    world = next(iter(setups.values()))["sounds"]
    return f"Frozen models {models}, demo world `{world}` (checksums)."


def _verdicts(tables: Sequence[Filled]) -> str:
    lines = ["| Claim | AV-Align | |", "|---|---|---|"]
    lines += [
        f"| {verdict.claim.text} | {here(verdict)} | {verdict.text} |" for verdict in verdicts_of(tables)
    ]
    return "\n".join(lines)
