"""The command line, on real files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from a2v_core.demo import demo_path
from a2v_core.signals.__main__ import main
from tests.media.files import write_sound
from tests.signals.sounds import bursts

ROOT = Path(__file__).resolve().parents[2]
DRUM = str(demo_path("sounds/drum.wav"))


@pytest.fixture(scope="module")
def beat(tmp_path_factory: pytest.TempPathFactory) -> str:
    sound = bursts([0.5 + 0.5 * n for n in range(23)], 12.0, 22050)
    return str(
        write_sound(tmp_path_factory.mktemp("s") / "beat.wav", sound.samples.numpy(), 22050, "pcm_s16le")
    )


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_events_from_outside() -> None:
    """As a user runs it, in a process of its own."""
    command = [sys.executable, "-m", "a2v_core.signals", "events", DRUM, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    record = json.loads(done.stdout)
    assert len(record["events"]) >= 2
    for event in record["events"]:
        assert 0 <= event["time"] < record["duration"]
        assert 0 < event["strength"] <= 1
        assert event["label"] == "ball"
        assert event["probability"] > 0.5
    assert "bundled demo model" in record["note"]


def test_events_without_a_model_and_with_sustained_sounds(capsys: pytest.CaptureFixture[str]) -> None:
    bare = answer(capsys, "events", DRUM, "--beats", "none")
    assert {event["label"] for event in bare["events"]} == {None}
    assert "no BEATs model" in bare["note"]
    record = answer(capsys, "events", DRUM, "--segments", "--beats", str(demo_path("beats")))
    assert record["note"] == ""
    assert {segment["label"] for segment in record["segments"]} == {"ball"}
    assert main(["events", DRUM]) == 0
    assert "ball" in capsys.readouterr().out


def test_schedules(capsys: pytest.CaptureFixture[str], beat: str) -> None:
    record = answer(capsys, "schedule", beat, "--fps", "10", "--high", "0.8", "--release", "0.2")
    assert (record["fps"], record["frames"], len(record["values"])) == (10, 120, 120)
    assert record["values"][5] > 0.7
    assert main(["schedule", beat, "--fps", "10"]) == 0
    text = capsys.readouterr().out.strip()
    assert text.startswith("0:(0.000), 4:(0.000), 5:(0.9")
    assert main(["schedule", beat, "--signal", "900-1100", "--frames", "48"]) == 0


def test_schedules_of_a_class(capsys: pytest.CaptureFixture[str]) -> None:
    record = answer(capsys, "schedule", DRUM, "--fps", "12", "--hits-of", "Ball")
    assert record["class"] == "Ball"
    assert [frame for frame, value in enumerate(record["values"]) if value > 0.3] == [2, 7, 13, 17]
    assert min(answer(capsys, "schedule", DRUM, "--presence-of", "ball")["values"]) > 0.8
    assert main(["schedule", DRUM, "--hits-of", "ball"]) == 0
    assert "note: names are those of the bundled demo model" in capsys.readouterr().err


def test_prompts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    phrases = tmp_path / "map.txt"
    phrases.write_text("ball: a drum is struck\n", encoding="utf-16")
    options = [
        "--map",
        str(phrases),
        "--template",
        "photo, {label}",
        "--quiet",
        "still",
        "--longest",
        "0.2",
        "--fps",
        "12",
    ]
    record = answer(capsys, "prompts", DRUM, *options)
    assert {prompt["text"] for prompt in record["prompts"]} == {"photo, a drum is struck", "still"}
    assert sum(prompt["frames"] for prompt in record["prompts"]) == record["frames"] == 24
    assert sum(map(int, record["segment_lengths"].split(","))) == 24
    assert main(["prompts", DRUM, "--format", "srt", *options]) == 0
    assert " --> " in capsys.readouterr().out

    together = answer(capsys, "prompts", DRUM, "--sounds", "all together", *options)
    assert [prompt["text"] for prompt in together["prompts"]] == ["photo, a drum is struck"]
    assert together["segment_lengths"] == "24"


def test_cuts(capsys: pytest.CaptureFixture[str], beat: str) -> None:
    record = answer(
        capsys, "cuts", beat, "--lengths", "8n+1", "--shortest", "1", "--longest", "3", "--fps", "25"
    )
    assert record["tempo"]["bpm"] == pytest.approx(120, abs=0.5)
    assert record["on"] == "beats"
    lengths = [shot["frames"] for shot in record["shots"]]
    assert {length % 8 for length in lengths} == {1}
    assert sum(lengths) + record["remainder"] == record["frames"] == 300
    assert record["lengths"] == ", ".join(map(str, lengths))
    assert main(["cuts", beat, "--on", "onsets"]) == 0
    assert "frames; 0 are left at the end" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["events", "nowhere.wav"], "nowhere.wav"),
        (["schedule", DRUM, "--fps", "0"], "fps is 0"),
        (["schedule", DRUM, "--frames", "-3"], "frames is -3"),
        (["schedule", DRUM, "--signal", "bas"], "Signal 'bas' is unknown"),
        (["schedule", DRUM, "--hits-of", "dog"], "'dog' is no class of this BEATs"),
        (["schedule", DRUM, "--hits-of", "ball", "--beats", "none"], "needs a BEATs model"),
        (["schedule", DRUM, "--attack", "-1"], "attack is -1"),
        (["prompts", DRUM, "--template", "a dog"], "no place for the sound"),
        (["prompts", DRUM, "--beats", "none"], "prompts need names"),
        (["cuts", DRUM, "--lengths", "8m"], "a form such as 8n"),
        (
            ["events", DRUM, "--segments", "--beats", "none"],
            "sustained sounds are classes: they need a BEATs checkpoint",
        ),
        (["events", DRUM, "--labels", "nowhere.csv"], "nowhere.csv: cannot be read"),
    ],
)
def test_bad_input_is_explained(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.out == ""


def test_labels_of_the_users_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "class_labels_indices.csv"
    table.write_text("index,mid,display_name\n0,ball,Trommel\n", encoding="utf-8")
    record = answer(capsys, "events", DRUM, "--labels", str(table))
    assert {event["label"] for event in record["events"]} == {"Trommel"}
