"""Runs over many files: whatever one of them is, the others are scored and what was wrong is said."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from a2v_core.metrics.__main__ import main
from a2v_core.metrics.alignment.clip import Settings
from a2v_core.metrics.sets.runner import Job, JobResult, run_jobs, score_job

ROOT = Path(__file__).resolve().parents[3]
CASES = ROOT / "tests" / "media" / "cases"
NO_TEXT = os.fsdecode(b"caf\xe9 \xff.mp4")


def put(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, case in files.items():
        shutil.copy(CASES / case, folder / name.replace("__", "."))
    return folder


def breaks(job: Job) -> JobResult:
    """Raises and dies as decoders do."""
    name = str(job.video)
    if name == "raises":
        return score_job(Job(job.video, None, None))  # type: ignore[arg-type]
    if name == "dies":
        os._exit(11)
    return name


def test_every_job_gets_its_answer_though_processes_die() -> None:
    names = ["a", "dies", "b", "raises", "dies", "c", "dies", "d", "e"]
    jobs = [Job(Path(name), None, Settings()) for name in names]
    answers = dict(run_jobs(jobs, 2, breaks))
    assert sorted(answers) == list(range(9))
    for number, name in enumerate(names):
        answer = answers[number]
        assert isinstance(answer, str)
        wanted = {"raises": "raises: ", "dies": "the process that scored it died"}.get(name, name)
        assert wanted in answer


def test_a_folder_with_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = put(
        tmp_path / "in",
        plain__mp4="plain.mp4",
        latin__mkv="latin1_title.mkv",
        iphone__mp4="unknown_codec.mp4",
        cut__webm="webm_cut.webm",
    )
    (folder / "._plain.mp4").write_bytes(b"macOS")
    (folder / "folder.mp4").mkdir()
    shutil.copy(CASES / "plain.mp4", folder / NO_TEXT)
    out = tmp_path / "out"
    assert main(["score", str(folder), "--out", str(out), "--jobs", "1", "--no-progress"]) == 3
    said = capsys.readouterr().out
    assert "2 could not be scored" in said
    with (out / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = {Path(row["video"]).name: float(row["av_align"]) for row in csv.DictReader(file)}
    escaped = NO_TEXT.encode("ascii", "backslashreplace").decode()
    assert rows == pytest.approx(dict.fromkeys(["plain.mp4", "latin.mkv", escaped], 0.5833), abs=1e-3)
    bad = {
        Path(row["file"]).name: row["reason"] for row in json.loads((out / "scores.json").read_text())["bad"]
    }
    assert sorted(bad) == ["cut.webm", "iphone.mp4"]
    assert "cut off after 3.43 s" in bad["cut.webm"]
    assert "cannot be decoded" in bad["iphone.mp4"]
    assert escaped in (out / "report.html").read_text(encoding="utf-8")


def test_output_that_cannot_hold_a_name(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", plain__mp4="plain.mp4")
    (folder / "plain.mp4").rename(folder / "\u96e8\u306e\u97f3.mp4")
    environment = os.environ | {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    command = [sys.executable, "-m", "a2v_core.metrics", "score", str(folder), "--jobs", "1"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert rb"\u96e8\u306e\u97f3.mp4" in done.stdout


def test_two_files_of_one_name_are_two_clips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = put(tmp_path / "a", IMG__mp4="plain.mp4", IMG__MOV="two_tracks_aac_first.mov", x__mp4="plain.mp4")
    second = put(tmp_path / "b", IMG__mp4="plain.mp4", IMG__MOV="plain.mp4", x__mkv="latin1_title.mkv")
    arguments = ["compare", str(first), str(second), "--json", "--jobs", "1", "--no-progress"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["pairs"], found["alone"]) == (3, [])
    assert [name for name, *_ in found["clips"]] == ["IMG.MOV", "IMG.mp4", "x.mp4"]


def test_the_sound_beside_a_video_in_capital_letters(tmp_path: Path) -> None:
    folder = put(tmp_path, CLIP__MP4="unknown_codec.mp4", CLIP__WAV="plain.mp4")
    answer = score_job(Job(folder / "CLIP.MP4", None, Settings()))
    assert not isinstance(answer, str), answer
    assert answer[0]["audio"] == str(folder / "CLIP.WAV")
    assert answer[0]["av_align"] == pytest.approx(0.5833, abs=1e-3)
