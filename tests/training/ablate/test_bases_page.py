"""The section about base models on the page, which keeps the others."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.ablate.test_page import ONE
from tests.training.ablate.test_page import record as record_of_paper
from training.ablate.__main__ import main
from training.ablate.bases import BaseFiles, BaseRecipe, bases_filled, section_text
from training.ablate.bases.tables import BASES, GUIDANCE, BaseRow
from training.ablate.page import BASE_LINES, LINES, page_text, write_page
from training.ablate.records import read_records, to_lines
from training.ablate.settings import Setup
from training.errors import DataError


def record(row: BaseRow, seed: int, aligned: list[float], models: str = "m") -> dict[str, Any]:
    """A finished run, as it is read."""
    numbers = {
        "av_align": aligned,
        "chance": [0.2] * len(aligned),
        "event_recall": 0.5,
        "event_precision": 0.75,
        "object_accuracy": 1.0,
        "text_kept": 0.25,
        "validation_loss": 0.0123,
        "ceiling": [0.9],
        "parameters": 250_000,
        "seconds": 60.0,
        "step_seconds": 0.317,
        "video_seconds": 1.5,
    }
    content = {
        "key": f"{row.label}-{seed}",
        "seed": seed,
        "variant": asdict(row.variant),
        "test": asdict(row.test),
        "setup": asdict(Setup(BaseRecipe(), f"{models}-{row.variant.base}", "s")),
        "numbers": numbers,
    }
    read: dict[str, Any] = json.loads(json.dumps(content))
    return read


ROWS = {row.label: row for row in (*BASES.rows, *GUIDANCE.rows)}
WORDS, ATTENTION = ROWS["UNet3D, words"], ROWS["Wan, frame attention"]


def test_section_says_what_was_found() -> None:
    low, high = [0.1, 0.2, 0.3, 0.4], [0.5, 0.62, 0.69, 0.8]
    records = [
        record(row, seed, values) for seed in (0, 1) for row, values in ((WORDS, high), (ATTENTION, low))
    ]
    text = section_text(records)
    assert text.startswith("## Does the base model matter?\n")
    line = "| UNet3D, words | 0.65 \u00b1 0.00 | 0.20 \u00b1 0.00 | 0.50 \u00b1 0.00 | 0.75 \u00b1 0.00 "
    assert (
        line + "| 1.00 \u00b1 0.00 | 0.25 \u00b1 0.00 | 0.0123 \u00b1 0.0000 | 250,000 | 0.32 | 1.50 | 2 |"
        in text
    )
    assert "| Wan aligns as the UNet3D does | -0.40 \u00b1 0.00 | no |" in text
    assert "unet3d `m-unet3d`, wan `m-wan`" in text
    assert "4 trainings took 4 minutes" in text
    assert "--seeds 2" in text
    assert "the middle of the steps" not in text  # a table without runs


def test_runs_of_other_files_or_recipes_make_no_section() -> None:
    other = record(ATTENTION, 1, [0.1], models="other")
    with pytest.raises(DataError, match="all with the same models"):
        section_text([record(ATTENTION, 0, [0.1]), other])
    longer = record(WORDS, 0, [0.1])
    longer["setup"] = json.loads(json.dumps(asdict(Setup(replace(BaseRecipe(), steps=9), "m-unet3d", "s"))))
    with pytest.raises(DataError, match="all with the same models"):
        section_text([record(ATTENTION, 0, [0.1]), longer])


def test_each_kind_of_records_keeps_the_section_of_the_other(tmp_path: Path) -> None:
    page, images = tmp_path / "page.md", tmp_path / "images"
    paper = [record_of_paper(ONE, seed, [0.3, 0.4]) for seed in (0, 1)]
    bases = [record(row, 0, [0.3, 0.4]) for row in BASES.rows]
    write_page(page, paper)
    assert page.read_text(encoding="utf-8") == page_text(paper)
    assert not (images / BASE_LINES).exists()
    write_page(page, base_records=bases)
    both = page.read_text(encoding="utf-8")
    assert both == page_text(read_records(images / LINES), read_records(images / BASE_LINES))
    assert both.startswith(page_text(paper).rstrip("\n"))
    assert both.endswith(section_text(bases) + "\n")
    assert "<svg" in (images / "bases_bases.svg").read_text()
    fewer = bases[:3]
    write_page(page, base_records=fewer)
    assert page.read_text(encoding="utf-8") == page_text(paper, fewer)
    write_page(page, paper[:1])
    assert page.read_text(encoding="utf-8") == page_text(paper[:1], fewer)
    assert [len(filled.results) for filled in bases_filled(fewer)] == [3, 0]


def test_base_models_alone_make_a_page() -> None:
    text = page_text([], [record(WORDS, 0, [0.3]), record(ATTENTION, 0, [0.3])])
    assert text.startswith("# What carries the alignment\n\n## Does the base model matter?")


def test_command_writes_the_section(
    base_files: BaseFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One run, and the lines of others that were finished before; the paper's tables stay."""
    page = tmp_path / "docs" / "results.md"
    (page.parent / "images").mkdir(parents=True)
    paper = [record_of_paper(ONE, 0, [0.3, 0.4])]
    (page.parent / "images" / LINES).write_text(to_lines(paper))
    wan, work = base_files.wan, tmp_path / "work"
    command = ["--tables", "bases", "--seeds", "1", "--steps", "1", "--start-steps", "1", "--pool", "2"]
    command += ["--clips", "1", "--sampling-steps", "1", "--minutes", "0.0001", "--work", str(work)]
    command += ["--beats", str(base_files.beats), "--t2v", str(base_files.unet3d)]
    assert main(command) == 1
    assert "give its folder as --animatediff" in capsys.readouterr().err
    command += ["--animatediff", str(base_files.animatediff), "--wan", str(wan.transformer), str(wan.vae)]
    assert main([*command, "--write", str(page)]) == 0
    out = capsys.readouterr()
    assert out.out.startswith("1 of 10 runs are finished")
    assert "goes on from there" in out.err
    (done,) = read_records(work / "bases.jsonl")
    assert done["variant"]["base"] == "unet3d"
    assert page.read_text(encoding="utf-8") == page_text(paper, [done])
