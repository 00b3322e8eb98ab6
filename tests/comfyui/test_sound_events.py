"""Sound Events on a real ComfyUI: what is heard when, with names and without."""

from __future__ import annotations

import json
from typing import Any

import pytest

from a2v_core.audio import BEATs, BEATsConfig, save_beats
from tests.audio.tiny import TINY_CFG
from tests.comfyui.driver import Comfy, Graph
from tests.comfyui.signal_graphs import loaded, looks, probe, texts

OUTPUTS = {"record": 0, "table": 1, "said": 2}
DEFAULTS = {
    "threshold": 0.2,
    "window": 0.48,
    "sustained": False,
    "labels": "",
    "phrases": "",
    "width": 768,
}
TIMES = [0.197, 0.547, 1.0475, 1.3975]


def heard(sound: str = "demo (bundled): drum.wav", named: bool = True, **inputs: Any) -> Graph:
    given = {"audio": ["sound", 0], **DEFAULTS, **inputs}
    if named:
        given.setdefault("audio_encoder", ["beats", 0])
    events = {"events": {"class_type": "A2VSoundEvents", "inputs": given}}
    return {**loaded(sound), **events, **looks("events", **OUTPUTS)}


def test_times_names_caption_and_picture(probes: Comfy) -> None:
    graph = {**heard(phrases="ball: a drum is hit"), **probe("events", picture=3)}
    (record,), (table,), (said,), (picture,) = texts(probes, graph, *OUTPUTS, "picture")
    found = json.loads(record)
    assert [event["time"] for event in found["events"]] == pytest.approx(TIMES, abs=0.005)
    assert {event["label"] for event in found["events"]} == {"ball"}
    assert (found["duration"], found["segments"], found["note"]) == (2.0, [], "")
    assert table.splitlines()[-1].split() == ["2.000s", "(end)"]
    assert table.count("ball (") == 4
    assert said == "A drum is hit at 0.2, 0.5, 1.0 and 1.4 s."
    assert picture.startswith("torch.float32 [1, 168, 768, 3] cpu ")


def test_without_names_there_are_times(probes: Comfy) -> None:
    (record,), (table,), (said,) = texts(probes, heard(named=False), *OUTPUTS)
    found = json.loads(record)
    assert [event["time"] for event in found["events"]] == pytest.approx(TIMES, abs=0.005)
    assert {event["label"] for event in found["events"]} == {None}
    assert found["note"] == "times without names: no BEATs model was given"
    assert table.startswith("note: times without names")
    assert said.startswith("A sound at 0.2, 0.5,")


def test_a_checkpoint_without_a_head_gives_times_and_says_so(probes: Comfy) -> None:
    headless = BEATs(BEATsConfig.from_cfg({**TINY_CFG, "finetuned_model": False}))
    encoders = probes.server.models / "audio_encoders"
    encoders.mkdir(parents=True, exist_ok=True)
    save_beats(encoders / "headless.safetensors", headless)
    graph = heard("hits.wav")
    graph["beats"]["inputs"]["beats_name"] = "headless.safetensors"
    (record,), _, _ = texts(probes, graph, *OUTPUTS)
    assert len(json.loads(record)["events"]) == 3
    assert "has no classifier head; load a fine-tuned one" in json.loads(record)["note"]
    graph["events"]["inputs"]["sustained"] = True
    assert probes.run(graph).message.startswith("Sound Events: sustained sounds are classes, which need")


def test_sustained_sounds(probes: Comfy) -> None:
    (record,), _, (said,) = texts(probes, heard(sustained=True), *OUTPUTS)
    segments = json.loads(record)["segments"]
    assert [segment["label"] for segment in segments] == ["ball"] * len(segments) != []
    assert said.startswith("Ball from 0.0 to 2.0 s, ball at 0.2, ")


def test_labels_of_the_users_own(probes: Comfy) -> None:
    """The demo's labels are its own names: a table renames them, as text and as a file."""
    table = "index,mid,display_name\n0,ball,Kick drum\n"
    (probes.server.input / "labels.csv").write_text(table)
    for labels in (table, "labels.csv"):
        _, (seen,), _ = texts(probes, heard(labels=labels), *OUTPUTS)
        assert "Kick drum (" in seen
    assert "'none.csv' is not in ComfyUI's input folder" in probes.run(heard(labels="none.csv")).message
    assert "'../x.csv' is not in ComfyUI's" in probes.run(heard(labels="../x.csv")).message
    wrong = probes.run(heard(labels="a,b\n1,2")).message
    assert wrong.startswith("Sound Events: labels: expected a CSV file with the columns index,mid")


def test_silence_and_one_sample(probes: Comfy) -> None:
    graph = heard()
    graph["sound"] = {
        "class_type": "EmptyAudio",
        "inputs": {"duration": 1.0, "sample_rate": 44100, "channels": 2},
    }
    (record,), (table,), (said,) = texts(probes, graph, *OUTPUTS)
    assert json.loads(record)["events"] == []
    assert "(no onset)" in table
    assert said == "Nothing is heard in 1.0 s."
    graph["sound"]["inputs"]["duration"] = 1 / 44100
    assert json.loads(texts(probes, graph, *OUTPUTS)[0][0])["events"] == []


@pytest.mark.parametrize(
    ("inputs", "kind", "says"),
    [
        ({}, "none", "Sound Events: the input audio is None"),
        ({}, "empty", "Sound Events: the input audio is empty"),
        ({}, "batch", "Sound Events: the input audio has 2 sounds, expected one"),
        ({}, "nan", "Sound Events: the input audio: 44100 of 44100 samples are NaN or infinite"),
        ({"phrases": "what?"}, "double", "Sound Events: phrases: line 1 is 'what?'; expected LABEL: PHRASE"),
    ],
)
def test_bad_input(probes: Comfy, inputs: dict[str, Any], kind: str, says: str) -> None:
    graph = heard(named=False, **inputs, audio=["odd", 0])
    graph["odd"] = {"class_type": "ProbeAudio", "inputs": {"audio": ["sound", 0], "kind": kind}}
    assert probes.run(graph).message.startswith(says)


def test_another_encoder_and_a_short_window(probes: Comfy) -> None:
    graph = heard(audio_encoder=["foreign", 0])
    graph["foreign"] = {"class_type": "ProbeForeignEncoder", "inputs": {}}
    assert probes.run(graph).message.startswith("Sound Events: the audio encoder is a Linear, not BEATs")
    assert "smaller than min of 0.18: window" in probes.refused(heard(window=0.1))
