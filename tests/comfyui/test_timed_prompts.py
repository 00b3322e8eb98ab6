"""Timed Prompts on a real ComfyUI: from events or from text by hand, in every form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.comfyui import tiny_models
from tests.comfyui.driver import Comfy, Graph
from tests.comfyui.signal_graphs import looks, probe, texts
from tests.comfyui.test_sound_events import heard

BY_HAND = "0.5 Dog\n1.5 Bell\n2.25 Dog\n3.0 (end)"
PHRASES = "Dog: a dog barks\n*: {label} is heard"
DEFAULTS = {
    "events": BY_HAND,
    "phrases": PHRASES,
    "template": "photo, {label}",
    "quiet": "",
    "fps": 24.0,
    "frames": 0,
    "sounds": "hits",
    "shortest": 0.5,
    "longest": 2.0,
    "format": "timestamps",
}
OUTPUTS = {"local": 0, "lengths": 1, "text": 2}
LISTS = {"prompt": 4, "start": 5, "length": 6, "frames": 7}
DOG, BELL = "photo, a dog barks", "photo, bell is heard"


def prompts(**inputs: Any) -> Graph:
    return {"prompts": {"class_type": "A2VTimedPrompts", "inputs": {**DEFAULTS, **inputs}}}


def with_clip(**inputs: Any) -> Graph:
    """The prompts with a CLIP of one encoder, 32 wide, and core's own encoding of one of them."""
    return {
        "sd": {"class_type": "ProbeSD", "inputs": {"kind": "sd1", "width": 32}},
        **prompts(clip=["sd", 1], **inputs),
        **probe("prompts", rows=3),
    }


def row_is(graph: Graph, frame: int, text: str) -> Graph:
    """The graph with the question whether the row of a frame is what CLIP Text Encode makes of a text."""
    return {
        **graph,
        "core": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["sd", 1], "text": text}},
        "row": {"class_type": "ProbeFrame", "inputs": {"conditioning": ["prompts", 3], "frame": frame}},
        "same": {"class_type": "ProbeSame", "inputs": {"value": ["row", 0], "other": ["core", 0]}},
    }


def test_prompts_by_hand_for_prompt_relay_and_as_lists(probes: Comfy) -> None:
    graph = {**prompts(), **looks("prompts", **OUTPUTS, **LISTS)}
    (local,), (lengths,), (text,), prompt, start, length, (frames,) = texts(probes, graph, *OUTPUTS, *LISTS)
    assert local == f"{DOG} | {BELL} | {DOG}"
    assert lengths == "36, 18, 18"
    assert text == f"0:00-0:01.5: {DOG}\n0:01.5-0:02.25: {BELL}\n0:02.25+: {DOG}"
    assert prompt == [DOG, BELL, DOG]
    assert [float(time) for time in start] == [0.0, 1.5, 2.25]
    assert (length, frames) == (["36", "18", "18"], "72")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("fizz", f'"0": "{DOG}",\n"36": "{BELL}",\n"54": "{DOG}"'),
        ("deforum", f'{{\n"0": "{DOG}",\n"36": "{BELL}",\n"54": "{DOG}"\n}}'),
        ("srt", f"1\n00:00:00,000 --> 00:00:01,500\n{DOG}\n\n2\n"),
        ("json", '{\n  "fps": 24.0,\n  "frames": 72,'),
        ("prompt relay", f"local_prompts: {DOG} | {BELL} | {DOG}\nsegment_lengths: 36, 18, 18"),
    ],
)
def test_the_text_has_the_form_that_is_asked_for(probes: Comfy, form: str, says: str) -> None:
    graph = {**prompts(format=form), **looks("prompts", text=2)}
    run = probes.good(graph)
    assert run.outputs["text"]["text"][0].startswith(says)
    assert run.outputs["prompts"]["text"] == run.outputs["text"]["text"]


@pytest.mark.parametrize("output", [0, 1])
def test_events_come_from_the_node_as_json_or_table(probes: Comfy, output: int) -> None:
    graph = {
        **heard(sustained=True),
        **prompts(events=["events", output], phrases="ball: a drum", quiet="stillness", longest=0.3),
        **looks("prompts", **OUTPUTS),
    }
    (local,), (lengths,), _ = texts(probes, graph, *OUTPUTS)
    assert local.split(" | ")[:3] == ["stillness", "photo, a drum", "stillness"]
    assert sum(int(length) for length in lengths.split(", ")) == 48
    graph["prompts"]["inputs"]["sounds"] = "sustained sounds"
    (local,), (lengths,), _ = texts(probes, graph, *OUTPUTS)
    assert "photo, a drum" in local.split(" | ")


def test_rows_are_what_core_makes_of_each_text(probes: Comfy) -> None:
    graph = with_clip()
    for frame, text in ((0, DOG), (35, DOG), (36, BELL), (53, BELL), (54, DOG), (71, DOG)):
        (rows,), (same,) = texts(probes, row_is(graph, frame, text), "rows", "same")
        assert rows.startswith("list of 1: list of 2: torch.float32 [72, 77, 32] cpu ")
        assert same == "True 77 77"
    (other,) = texts(probes, row_is(graph, 0, BELL), "same")
    assert other[0].startswith("False")


def test_texts_of_several_lengths_and_few_encodings(probes: Comfy) -> None:
    """A text of more than 77 positions: the others are repeated, as core does."""
    long = with_clip(phrases=f"dog: {'bark ' * 90}\nbell: ring", template="{label}")
    (rows,), (same,) = texts(probes, row_is(long, 40, "ring"), "rows", "same")
    assert "torch.float32 [72, 154, 32]" in rows
    assert same == "True 154 77"


def test_a_t2v_model_encodes_as_well(probes: Comfy) -> None:
    model = {"model_name": tiny_models.T2V, "dtype": "auto", "download_if_missing": False}
    graph = {
        "model": {"class_type": "A2VLoadT2VModel", "inputs": model},
        **prompts(clip=["model", 0]),
        **probe("prompts", rows=3),
    }
    (rows,) = texts(probes, graph, "rows")
    assert rows[0].startswith("list of 1: list of 2: torch.float32 [72, 77, 32] cpu ")


def test_without_a_clip_only_the_conditioning_is_missing(probes: Comfy) -> None:
    graph = {**prompts(), **looks("prompts", text=2)}
    assert probes.good(graph).outputs["text"]["text"][0].startswith("0:00")
    (told,) = probes.told({**graph, **probe("prompts", rows=3)})
    assert "Timed Prompts: connect a CLIP to its input clip" in told


EMPTY = json.dumps({"duration": 2.0, "events": []})


@pytest.mark.parametrize(
    ("events", "says"),
    [(BY_HAND, "photo, a dog barks and bell is heard"), (EMPTY, "an empty room")],
)
def test_all_together_is_one_prompt(probes: Comfy, events: str, says: str) -> None:
    graph = prompts(events=events, sounds="all together", quiet="an empty room", frames=48)
    found = texts(probes, {**graph, **looks("prompts", **LISTS)}, *LISTS)
    assert found == [[says], ["0.0"], ["48"], ["48"]]


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"events": ""}, "the text is empty; connect Sound Events"),
        ({"events": "a dog barks"}, "line 1 is 'a dog barks'; expected TIME LABEL"),
        ({"events": "[1, 2]"}, "the JSON has no list of events"),
        ({"events": EMPTY}, "Nothing is heard, and there is no prompt for quiet"),
        ({"events": EMPTY, "sounds": "sustained sounds"}, "Nothing is heard, and there is no prompt"),
        ({"events": "0.5 0.9\n2 (end)"}, "The events have no names"),
        ({"events": "0.5 Dog"}, "said to end at 0.5 s, with its last event: say how long it is"),
        ({"template": "a dog"}, "The template 'a dog' has no place for the sound: write {label}"),
        ({"phrases": "dog"}, "Timed Prompts: phrases: line 1 is 'dog'; expected LABEL: PHRASE"),
        ({"template": "{label} | x"}, "Prompt Relay separates prompts by |"),
    ],
)
def test_bad_input(probes: Comfy, inputs: dict[str, Any], says: str) -> None:
    assert says in probes.run(prompts(**inputs)).message


def test_what_the_server_refuses(probes: Comfy) -> None:
    assert "smaller than min of 0.01: fps" in probes.refused(prompts(fps=0.0))
    assert "format is 'xml': choose one of prompt relay" in probes.refused(prompts(format="xml"))
    assert "sounds is 'beats'" in probes.refused(prompts(sounds="beats"))
