"""`python -m training.ablate` from sounds to the page: tiny models, few steps, everything else as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.ablate.__main__ import main
from training.ablate.page import page_text
from training.ablate.records import read_records

TINY = ["--steps", "2", "--start-steps", "2", "--pool", "8", "--clips", "2", "--sampling-steps", "2"]


def command(models: Path, work: Path, *more: str) -> list[str]:
    own = ["--beats", str(models / "beats.safetensors"), "--t2v", str(models / "t2v"), "--work", str(work)]
    return [*TINY, *own, *more]


@pytest.fixture(scope="module")
def work(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder in which all runs of two tables are finished."""
    folder = tmp_path_factory.mktemp("ablate")
    assert main(command(models, folder, "--tables", "conditions", "layout", "--seeds", "2")) == 0
    return folder


def test_every_row_and_seed_is_one_line(work: Path) -> None:
    records = read_records(work / "runs.jsonl")
    # Text, audio, text and audio; two layouts beside the base, which is the audio row. Two seeds of each.
    assert len(records) == len({record["key"] for record in records}) == 10
    assert [record["seed"] for record in records] == [0] * 5 + [1] * 5
    text = next(record for record in records if record["test"]["prompt"] == "text")
    assert text["numbers"]["parameters"] == 0
    for record in records:
        numbers = record["numbers"]
        assert len(numbers["av_align"]) == len(numbers["chance"]) == 2
        assert numbers["ceiling"] == [1.0, 1.0]
        assert 0 < numbers["validation_loss"] < 10
        assert record["variant"]["kind"] == "none" or numbers["parameters"] > 10_000


def test_seeds_and_prompts_give_other_numbers(work: Path) -> None:
    losses = [record["numbers"]["validation_loss"] for record in read_records(work / "runs.jsonl")]
    by_text = [losses[0], losses[5]]
    assert by_text[0] == by_text[1]  # text alone has nothing that a seed could change in the loss
    assert len(set(losses)) == len(losses) - 1


def test_goes_on_where_it_was(
    models: Path, work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line that is lost is made again, the same, without training; no other run is touched."""
    lines = (work / "runs.jsonl").read_text().splitlines()
    adapters = {path: path.stat().st_mtime_ns for path in (work / "adapters").iterdir()}
    torn = lines[-1][: len(lines[-1]) // 2]
    (work / "runs.jsonl").write_text("\n".join([*lines[:-1], torn]))
    options = ["--tables", "conditions", "layout", "--seeds", "2", "--json"]
    assert main(command(models, work, *options)) == 0
    assert capsys.readouterr().out.splitlines() == lines
    assert (work / "runs.jsonl").read_text().splitlines() == lines
    assert {path: path.stat().st_mtime_ns for path in (work / "adapters").iterdir()} == adapters


def test_page_is_made_of_the_lines(models: Path, work: Path, tmp_path: Path) -> None:
    page = tmp_path / "docs" / "results.md"
    options = ["--tables", "conditions", "layout", "--seeds", "2", "--write", str(page)]
    assert main(command(models, work, *options)) == 0
    text = page.read_text(encoding="utf-8")
    assert text == page_text(read_records(page.parent / "images" / "ablation.jsonl"))
    assert "(the paper's Table 2)" in text
    assert "Table 3" not in text
    for name in ("conditions", "layout"):
        assert "<svg" in (page.parent / "images" / f"ablation_{name}.svg").read_text()
        assert f"(images/ablation_{name}.svg)" in text
    rows = {line.split(" | ")[0].removeprefix("| "): line.split(" | ") for line in text.splitlines()}
    records = [json.loads(line) for line in (work / "runs.jsonl").read_text().splitlines()]
    mean = sum(run["numbers"]["validation_loss"] for run in records if run["test"]["prompt"] == "text") / 2
    assert rows["text"][3] == "0.27"
    assert rows["text"][7] == f"{mean:.4f} \u00b1 0.0000"
    assert rows["time_aligned, 80 ms"][-1] == "2 |"


def test_stops_in_time(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first run always starts; none does after the time is over."""
    assert main(command(models, tmp_path, "--tables", "hop", "--seeds", "1", "--minutes", "0.001")) == 0
    out = capsys.readouterr()
    assert out.out.startswith("1 of 3 runs are finished")
    assert "goes on from there" in out.err


def test_bad_input_is_named(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = ["--tables", "hop", "--work", str(tmp_path)]
    assert main([*own, "--beats", str(tmp_path / "none.safetensors"), "--t2v", str(models / "t2v")]) == 1
    assert "none.safetensors: no such file" in capsys.readouterr().err
    (tmp_path / "runs.jsonl").write_text("no JSON\n{}\n")
    assert main(command(models, tmp_path, "--tables", "hop", "--seeds", "1")) == 1
    assert "runs.jsonl: line 1 is no JSON" in capsys.readouterr().err
