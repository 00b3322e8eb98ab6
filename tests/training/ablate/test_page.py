"""From finished runs to the page: means, spreads, differences and what they say of a claim."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from training.ablate.chart import table_svg
from training.ablate.page import BASE_LINES, LINES, page_text, write_page
from training.ablate.records import append_record, read_records
from training.ablate.settings import Recipe, Setup, Test, Variant
from training.ablate.stats import judge, results_of
from training.ablate.tables import CONDITIONS, CROSS, WINDOWS, Claim, Row
from training.errors import DataError

ROOT = Path(__file__).resolve().parents[3]
ONE, FULL = WINDOWS.rows[1], WINDOWS.rows[5]


def record(row: Row, seed: int, aligned: list[float | None], models: str = "m") -> dict[str, Any]:
    numbers = {
        "av_align": aligned,
        "chance": [0.2] * len(aligned),
        "event_recall": 0.5,
        "event_precision": None,
        "object_accuracy": 1.0,
        "validation_loss": 0.0123,
        "ceiling": [0.9, None],
        "parameters": 1000,
        "seconds": 30.0,
    }
    content = {
        "key": f"{row.label}-{seed}",
        "seed": seed,
        "variant": asdict(row.variant),
        "test": asdict(row.test),
        "setup": asdict(Setup(Recipe(), models, "s")),
        "numbers": numbers,
    }
    read: dict[str, Any] = json.loads(json.dumps(content))
    return read


def test_a_row_is_mean_and_deviation_over_seeds() -> None:
    records = [record(FULL, 1, [0.5, None]), record(FULL, 0, [0.2, 0.4]), record(ONE, 0, [0.1])]
    one, full = results_of(WINDOWS.rows, records)
    assert (one.row.label, full.row.label) == ("1-res", "5-res (full)")
    assert full.per_seed("av_align").values == pytest.approx((0.3, 0.5))
    assert full.per_seed("av_align").show() == "0.40 \u00b1 0.14"
    assert one.per_seed("av_align").show() == "0.10"
    assert one.per_seed("event_precision").show() == "-"
    assert full.clips("av_align") == {(0, 0): 0.2, (0, 1): 0.4, (1, 0): 0.5}


def test_claims_are_judged_clip_by_clip() -> None:
    """A small but steady difference between the same sounds is clear, however much the sounds differ."""
    low = record(ONE, 0, [0.0, 0.5, 1.0, 0.2, None])
    high = record(FULL, 0, [0.1, 0.62, 1.09, 0.3, 0.9])
    results = results_of(WINDOWS.rows, [low, high])
    claims = [
        Claim("a", "5-res (full)", "1-res"),
        Claim("b", "1-res", "5-res (full)"),
        Claim("c", "5-res (full)", "1-res", same=True),
        Claim("d", "1-res", "5-res (full)", paper=False),
        Claim("no such row", "5-res (full)", "vec."),
    ]
    verdicts = judge(claims, results)
    assert [verdict.text for verdict in verdicts] == [
        "agrees",
        "**disagrees**",
        "**disagrees**",
        "no, the other way round",
    ]
    assert verdicts[0].difference == pytest.approx((0.1 + 0.12 + 0.09 + 0.1) / 4)
    assert verdicts[0].paper == pytest.approx(-0.01)
    noisy = results_of(WINDOWS.rows, [record(ONE, 0, [0.0, 0.9]), record(FULL, 0, [0.5, 0.6])])
    assert [verdict.text for verdict in judge(claims[:3], noisy)] == [
        "not decided at this budget",
        "not decided at this budget",
        "no difference found",
    ]


def test_other_sounds_are_compared_by_means() -> None:
    same, rhythm = CROSS.rows[:2]
    known = record(same, 0, [0.8, 0.9, 0.8, 0.9, 0.85])
    strange = record(rhythm, 0, [0.1, 0.2, 0.1])
    (verdict,) = judge(CROSS.claims, results_of(CROSS.rows, [known, strange]))
    assert verdict.difference == pytest.approx(0.85 - 0.4 / 3 - 2 * (0.85 - 0.4 / 3))
    assert verdict.text == "no"


def test_chart_shows_every_row() -> None:
    results = results_of(CONDITIONS.rows, [record(row, 0, [0.3]) for row in CONDITIONS.rows])
    svg = table_svg("A title", results)
    assert all(f">{row.label}</text>" in svg for row in CONDITIONS.rows)
    assert svg == table_svg("A title", results)
    assert "paper, on VGGSound" in svg
    assert "paper" not in table_svg("Another", results_of(CROSS.rows, [record(CROSS.rows[0], 0, [0.3])]))


def test_runs_of_two_set_ups_make_no_page() -> None:
    with pytest.raises(DataError, match="all with the same models"):
        page_text([record(ONE, 0, [0.1]), record(FULL, 0, [0.1], models="others")])
    with pytest.raises(DataError, match="needs finished runs"):
        page_text([])


def test_page_and_lines(tmp_path: Path) -> None:
    records = [record(row, seed, [0.3, 0.4]) for row in WINDOWS.rows for seed in (0, 1)]
    write_page(tmp_path / "page.md", records)
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert text == page_text(read_records(tmp_path / "images" / LINES))
    assert (
        "12 trainings took 6 minutes of one processor core. The true videos of the test sounds score 0.90."
        in text
    )
    assert "--seeds 2 --write" in text
    assert "| vec. | 0.35 \u00b1 0.00 | 0.20 \u00b1 0.00 | 0.29 | 0.50 \u00b1 0.00 | - | 1.00" in text


def test_torn_last_line_is_made_good(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    first, second = record(ONE, 0, [0.1]), record(FULL, 0, [0.2])
    append_record(path, first)
    with path.open("a") as stream:
        stream.write(json.dumps(second)[:40])
    assert read_records(path) == [first]
    append_record(path, second)
    assert read_records(path) == [first, second]


def test_published_page_is_what_its_lines_say() -> None:
    """docs/results.md was not edited by hand, and its pictures are there."""
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    images = ROOT / "docs" / "images"
    assert page == page_text(read_records(images / LINES), read_records(images / BASE_LINES))
    pictures = re.findall(r"\]\((images/[\w.]+)\)", page)
    assert pictures
    assert all((ROOT / "docs" / picture).is_file() for picture in pictures)


def test_defaults_are_the_demo_adapter() -> None:
    assert Variant().words == ("temp", "local1", "local2", "local3", "local4", "class")
    assert asdict(Test()) == {"prompt": "audio", "world": "all"}
