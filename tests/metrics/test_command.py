"""python -m a2v_core.metrics: one video, folders, resuming, bad files, comparison; for people and
machines.
"""

import csv
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from a2v_core.media import load_audio, read_video, write_video
from a2v_core.metrics.__main__ import main
from a2v_core.metrics.sets.log import CLIP_LOG

GOLDEN = Path(__file__).parents[1] / "golden" / "av_align"
CLIP = GOLDEN / "clip0_sync_12fps.mp4"
SOUND = CLIP.with_suffix(".wav")
NAMES = ("clip0_sync_12fps", "clip4_random_12fps", "clip7_silent_24fps")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three clips with their sounds, one in a folder below, and a file that is no video."""
    target = tmp_path / "clips"
    (target / "more").mkdir(parents=True)
    for number, name in enumerate(NAMES):
        place = target / "more" if number == 2 else target
        for suffix in (".mp4", ".wav"):
            (place / f"{name}{suffix}").write_bytes((GOLDEN / f"{name}{suffix}").read_bytes())
    (target / "broken.mp4").write_text("no video")
    return target


def test_prints_size_scores_chance_and_peaks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(CLIP), "--audio", str(SOUND)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(CLIP),
        "  frames    24",
        "  size      96 x 96",
        "  fps       12",
        "  AV-Align  0.800 (chance 0.270)",
        "  peaks     5 in the sound, 4 in the picture, 4 matched",
        "  trusted   0.969 (chance 0.423), corrected 0.947, p = 0.046",
        "  peaks     4 in the sound, 4 in the picture, 4 matched (precision 1.00, recall 1.00, picture -41 "
        "ms)",
        "  moving together  correlation 0.86 at a lag of -70 ms (0.31 at 0)",
        "  lag: no lag stands out from chance",
    ]


def test_json_from_a_process_takes_the_wav_beside_a_silent_video() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "a2v_core.metrics", "score", str(CLIP), "--json"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    facts = json.loads(done.stdout)
    assert facts["chance"] == pytest.approx(0.2700483, abs=1e-6)
    assert len(facts["audio_peaks"]) == 5
    assert facts["video_peaks"] == pytest.approx([4 / 12, 8 / 12, 14 / 12, 18 / 12])
    expected = {
        "video": str(CLIP),
        "audio": str(SOUND),
        "frames": 24,
        "width": 96,
        "height": 96,
        "fps": 12.0,
        "av_align": 0.8,
        "av_align_reference": 0.8,
        "av_align_legacy": 0.8,
        "av_align_paper": 0.8,
        "variant": "reference",
        "reason": "",
        "num_audio_peaks": 5,
        "num_video_peaks": 4,
        "num_matches": 4,
        "trusted_tolerance_ms": 170.0,
    }
    assert facts["trusted"] == pytest.approx(0.9692831, abs=1e-6)
    assert facts["trusted_corrected"] == pytest.approx(0.946745, abs=1e-5)
    assert {name: facts[name] for name in expected} == expected


def test_own_sound_comes_first_and_undefined_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "still.mp4"
    silence = load_audio(GOLDEN / "clip7_silent_24fps.wav")
    write_video(path, read_video(GOLDEN / "clip5_static_25fps.mp4", max_frames=10).frames, 25, silence)
    path.with_suffix(".wav").write_bytes(SOUND.read_bytes())
    assert main(["score", str(path)]) == 0
    out = capsys.readouterr().out
    assert "  AV-Align  undefined\n  peaks     0 in the sound, 0 in the picture, 0 matched" in out
    assert "  note      undefined: no onset in the sound and no motion peak in the video" in out
    assert main(["score", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["av_align"], facts["chance"], facts["audio"]) == (None, None, str(path))
    assert (facts["trusted"], facts["trusted_p_value"]) == (None, None)


def test_a_folder_in_two_processes_then_resumed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder.parent / "out"
    arguments = ["score", str(folder), "--out", str(out), "--jobs", "2"]
    assert main(arguments) == 3
    first = capsys.readouterr().out
    assert "trusted" in first
    assert re.search(r"1 could not be scored:\n  .*broken\.mp4: cannot be read as sound or video", first)
    assert "1 not counted: undefined: the sound is silent" in first
    notebook = out / CLIP_LOG
    assert len(notebook.read_text().splitlines()) == 3

    with (out / "scores.csv").open(newline="") as file:
        rows = {Path(row["video"]).stem: row for row in csv.DictReader(file)}
    assert set(rows) == set(NAMES)
    assert float(rows["clip0_sync_12fps"]["av_align"]) == 0.8
    assert rows["clip7_silent_24fps"]["trusted"] == ""

    facts = json.loads((out / "scores.json").read_text())
    assert facts["summary"]["trusted"]["count"] == 2
    assert facts["summary"]["trusted"]["undefined"] == {"undefined: the sound is silent": 1}
    assert facts["bad"][0]["file"].endswith("broken.mp4")

    # A line is edited and half of another lost: both clips are scored again.
    lines = notebook.read_text().splitlines()
    doctored = [line.replace('"av_align": 0.8', '"av_align": 0.123') for line in lines[:-1]]
    notebook.write_text("\n".join([*doctored, lines[-1][:50]]) + "\n")
    assert main([*arguments, "--json"]) == 3
    again = {Path(clip["video"]).stem: clip for clip in json.loads(capsys.readouterr().out)["clips"]}
    assert len(again) == 3
    known = {json.loads(line)["record"]["av_align"] for line in lines[:-1]}
    assert again["clip0_sync_12fps"]["av_align"] == 0.8
    assert len(notebook.read_text().splitlines()) == (5 if 0.8 in known else 4)
    # Other settings are other scores.
    assert main([*arguments, "--variant", "legacy", "--json", "--jobs", "1"]) == 3
    assert json.loads(capsys.readouterr().out)["clips"][0]["variant"] == "legacy"


class Page(HTMLParser):
    """Counts the tags of a page and collects what it points to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_is_one_whole_page_that_needs_nothing_else(folder: Path) -> None:
    out = folder.parent / "out"
    assert main(["score", str(folder), "--out", str(out), "--jobs", "1"]) == 3
    text = (out / "report.html").read_text()
    page = Page()
    page.feed(text)
    assert page.open == []
    assert page.links == ["data:,"]
    assert page.tags["svg"] == 4  # the scatter and three clips
    assert "script" not in page.tags
    assert "clip4_random_12fps.mp4" in text
    assert str(folder / "broken.mp4") in text
    assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_compare_pairs_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = folder.parent / "other"
    (other / "more").mkdir(parents=True)
    for path in folder.rglob("clip*.*"):
        (other / path.relative_to(folder)).write_bytes(path.read_bytes())
    # In the other set the random clip has the sound that belongs to another one.
    (other / "clip4_random_12fps.wav").write_bytes(SOUND.read_bytes())
    out = folder.parent / "out"
    assert main(["compare", str(folder), str(other), "--jobs", "1", "--out", str(out)]) == 3
    text = capsys.readouterr().out
    assert "3 clips in both" in text
    assert "broken.mp4: cannot be read" in text
    facts = json.loads((out / "compare.json").read_text())
    rows = {row[0]: row[3] for row in facts["rows"]}
    assert rows["AV-Align, trusted"]["count"] == 2
    a, b = (json.loads((out / side / "scores.json").read_text())["summary"] for side in ("a", "b"))
    assert rows["AV-Align, trusted"]["difference"] == pytest.approx(
        b["trusted"]["mean"] - a["trusted"]["mean"]
    )
    assert "95 % interval" in (out / "compare.html").read_text()
    assert (
        main(["compare", str(folder), str(GOLDEN), "--jobs", "1"]) == 3
    )  # clip names of one folder deeper differ
    assert "in one folder only" in capsys.readouterr().out


def test_bad_input_exits_with_one_and_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(tmp_path / "none.mp4")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: {tmp_path / 'none.mp4'}: no such file")
    silent = tmp_path / "silent.mp4"
    silent.write_bytes(CLIP.read_bytes())
    assert main(["score", str(silent)]) == 1
    assert f"{silent}: is a video or picture without sound" in capsys.readouterr().err
    with pytest.raises(SystemExit) as usage:
        main(["score"])
    assert usage.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "EMPTY"], "the folder holds no video"),
        (["score", str(CLIP), str(CLIP), "--audio", str(SOUND)], "--audio goes with one video"),
        (["score", str(CLIP), "--tolerance-ms", "0"], "The tolerance is 0.0 ms"),
        (["lag", str(CLIP), str(CLIP), "--seams", "1"], "--seams goes with one video"),
        (["lag", str(CLIP), "--seams", "1", "2.5"], "A seam at 2.5 s is not within the clip"),
        (["lag", str(CLIP), "--window", "nan"], "The window is nan s"),
        (["score", str(CLIP), "--out", str(CLIP)], "File exists"),
        (["compare", str(CLIP), str(GOLDEN / "clip2_sync_30fps.mp4")], "have no clip of the same name"),
    ],
)
def test_wrong_use_is_explained(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path) if a == "EMPTY" else a for a in arguments]) == 1
    assert message in capsys.readouterr().err


def test_fast_mode_and_tolerance_reach_the_score(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["score", str(CLIP), "--json", "--fast", "--tolerance-ms", "60"]
    assert main(arguments) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["tolerance_ms"] == facts["trusted_tolerance_ms"] == 60
    assert len(facts["video_peaks"]) == 4


def test_lag_over_time_of_one_video_and_of_a_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lag", str(CLIP), "--seams", "1.0", "--window", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "  lag: no lag stands out from chance"
    assert lines[2].startswith("  seam at 1.00 s: no lag before it (")
    assert lines[3].startswith("  0.0 to 1.0 s: ")
    assert len(lines) == 3 + 5
    out = tmp_path / "result"
    for suffix in (".mp4", ".wav"):
        (folder / f"clip3{suffix}").write_bytes((GOLDEN / f"clip3_late_24fps{suffix}").read_bytes())
    assert main(["lag", str(folder), "--json", "--jobs", "1", "--out", str(out)]) == 3
    facts = json.loads(capsys.readouterr().out)
    assert [clip["lag_ms"] for clip in facts["clips"]] == [None, pytest.approx(219, abs=5), None, None]
    assert facts["summary"]["lag_ms"]["count"] == 1
    assert "the picture +219 ms after the sound" in (out / "report.html").read_text()


def test_selftest_tries_the_scores_on_the_users_clips(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "result"
    assert main(["selftest", str(folder), "--out", str(out), "--jobs", "1"]) == 3
    text = capsys.readouterr().out
    assert text.startswith("3 clips; how often the own sound scores above a wrong one")
    assert "moved 100 ms" in text
    assert "broken.mp4" in text
    written = json.loads((out / "selftest.json").read_text())
    found = written["measures"]["trusted"]["perturbations"]["moved 500 ms"]
    assert found["count"] == 6
    assert found["undefined"] == 2  # the silent clip, both ways
    assert 0 < found["accuracy"] < 1
    assert "told from" in (out / "selftest.html").read_text()
    assert main(["selftest", str(folder / "broken.mp4"), "--json"]) == 1
    assert "needs at least one video" in capsys.readouterr().err
