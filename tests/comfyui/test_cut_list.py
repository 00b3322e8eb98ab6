"""Cut List and Segment of Audio on a real ComfyUI: lists of shots, and their sounds to the sample."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.comfyui.driver import Comfy, Graph
from tests.comfyui.signal_graphs import loaded, looks, probe, texts
from tests.media.files import write_sound
from tests.signals.sounds import bursts

RHYTHM, RATE, SECONDS = "rhythm.wav", 44100, 12.3
CUTS = {
    "fps": 23.976,
    "frames": 0,
    "cut_on": "beats",
    "every": 1,
    "shortest": 1.0,
    "longest": 3.0,
    "lengths": "any",
    "custom_lengths": "8n+1",
    "gate": -60.0,
    "width": 768,
}
SEGMENT = {"start": 0.0, "end": 0.0, "frames": 0, "fps": 24.0, "lengths": "any", "custom_lengths": "8n+1"}
LISTS = {"start": 0, "end": 1, "frames": 2}


@pytest.fixture(scope="module")
def rhythm(probes: Comfy) -> Comfy:
    """The server with a rhythm of 120 beats per minute."""
    sound = bursts([0.3 + 0.5 * number for number in range(23)], SECONDS, RATE, channels=2)
    write_sound(probes.server.input / RHYTHM, sound.samples.numpy(), RATE, "pcm_s16le")
    return probes


def cut(sound: str = RHYTHM, **inputs: Any) -> Graph:
    node = {"class_type": "A2VCutList", "inputs": {"audio": ["sound", 0], **CUTS, **inputs}}
    return {"sound": loaded(sound)["sound"], "cut": node}


def segment(sound: str = RHYTHM, **inputs: Any) -> Graph:
    node = {"class_type": "A2VSegmentOfAudio", "inputs": {"audio": ["sound", 0], **SEGMENT, **inputs}}
    return {"sound": loaded(sound)["sound"], "segment": node}


def shots(**inputs: Any) -> Graph:
    """The segments of all shots, joined, beside the original."""
    return {
        **cut(**inputs),
        **segment(start=["cut", 0], fps=["cut", 3], frames=["cut", 2]),
        "join": {"class_type": "ProbeJoin", "inputs": {"parts": ["segment", 0]}},
        "same": {"class_type": "ProbeSame", "inputs": {"value": ["join", 0], "other": ["sound", 0]}},
    }


def test_shots_begin_on_beats_and_lengths_are_those_of_the_model(rhythm: Comfy) -> None:
    graph = {
        **cut(lengths="LTX (8n+1)", fps=24.0),
        **looks("cut", **LISTS, fps=3, tempo=4, cuts=5, table=6),
        **probe("cut", picture=7),
    }
    start, end, frames, (fps,), (tempo,), (cuts,), (table,), (picture,) = texts(
        rhythm, graph, *LISTS, "fps", "tempo", "cuts", "table", "picture"
    )
    record = json.loads(cuts)
    lengths = [int(length) for length in frames]
    assert len(lengths) > 5
    assert all(length % 8 == 1 for length in lengths)
    assert sum(lengths) + record["remainder"] == record["frames"] == 295
    assert [float(time) for time in start] == pytest.approx(
        [sum(lengths[:number]) / 24 for number in range(len(lengths))], abs=1e-9
    )
    assert end[:-1] == start[1:]
    assert fps == "24.0"
    assert float(tempo) == pytest.approx(120, abs=0.5)
    for shot in record["shots"][1:]:
        assert abs(shot["mark"] - shot["start"]) <= 4 / 24 + 1e-6
    assert table.startswith("tempo 120.0 beats per minute, confidence ")
    assert picture.startswith("torch.float32 [1, 194, 768, 3] cpu ")


@pytest.mark.parametrize(("fps", "lengths"), [(23.976, "any"), (16.0, "Wan (4n+1)"), (24.0, "any")])
def test_segments_of_the_shots_join_to_the_sound(rhythm: Comfy, fps: float, lengths: str) -> None:
    graph = {**shots(fps=fps, lengths=lengths), **looks("segment", length=1, first=4, rate=5)}
    (said,), length, first, rate = texts(rhythm, graph, "same", "length", "first", "rate")
    same, joined, whole = said.split()
    assert same == "True"
    assert int(whole) == round(SECONDS * RATE)
    assert 0 <= abs(int(joined) - int(whole)) / RATE < (0.51 if lengths == "any" else 4.51) / fps
    assert len(length) == len(first) == len(set(rate)) * len(rate) > 3
    assert [int(each) for each in first[1:]] == [
        sum(int(each) for each in length[: number + 1]) for number in range(len(length) - 1)
    ]


def test_a_segment_by_hand(rhythm: Comfy) -> None:
    graph = {
        **segment(start=1.01, end=2.5, lengths="custom", custom_lengths="10n+3"),
        **looks("segment", frames=1, start=2, end=3, first=4),
        **probe("segment", audio=0),
    }
    (frames,), (start,), (end,), (first,), (audio,) = texts(
        rhythm, graph, "frames", "start", "end", "first", "audio"
    )
    assert (int(frames), float(start), float(end), int(first)) == (33, 1.0, 2.375, 24)
    assert audio.startswith("waveform: torch.float32 [1, 2, 60638] cpu ")
    rest = {**segment(start=12.0), **looks("segment", frames=1), **probe("segment", audio=0)}
    (frames,), (audio,) = texts(rhythm, rest, "frames", "audio")
    assert int(frames) == 8
    assert "[1, 2, 14700]" in audio


def test_silence_and_one_sample_are_cut_at_the_longest_length(rhythm: Comfy) -> None:
    graph = {**cut(fps=10.0), **looks("cut", **LISTS, table=6)}
    inputs: dict[str, Any] = {"duration": 7.0, "sample_rate": 8000, "channels": 1}
    graph["sound"] = {"class_type": "EmptyAudio", "inputs": inputs}
    _, _, frames, (table,) = texts(rhythm, graph, *LISTS, "table")
    assert [int(length) for length in frames] == [30, 30, 10]
    assert "nothing to cut on is heard" in table
    inputs["duration"] = 1 / 8000
    assert texts(rhythm, graph, *LISTS)[2] == ["1"]
    graph["cut"]["inputs"]["lengths"] = "MiniMax-H3 (17n+5)"
    assert "The video has 1 frames; the model makes 5 or more" in rhythm.run(graph).message


@pytest.mark.parametrize(
    ("graph", "says"),
    [
        (cut(shortest=3.0, longest=2.0), "Shots of 3.0 to 2.0 s: expected more than 0 s, the shortest first"),
        (cut(lengths="custom", custom_lengths="odd"), "Lengths 'odd': expected any, LTX"),
        (cut(longest=1.0, lengths="MiniMax-H3 (17n+5)"), "there is no length of 17 n + 5 frames; make the"),
        (segment(start=20.0), "starts at 20 s, but the sound is 12.300 s long"),
        (segment(start=2.0, end=1.0), "from 2 s to 1 s, which is no frame at 24 fps"),
        (
            segment(frames=24, lengths="LTX (8n+1)"),
            "24 frames: expected a number of the form 8n+1, such as 25",
        ),
    ],
)
def test_bad_input(rhythm: Comfy, graph: Graph, says: str) -> None:
    graph = {**graph, **looks("segment" if "segment" in graph else "cut", look=1)}
    assert says in rhythm.run(graph).message


@pytest.mark.parametrize(
    ("graph", "name", "kind", "says"),
    [
        (cut, "cut", "nan", "Cut List: the input audio: "),
        (cut, "cut", "batch", "Cut List: the input audio has 2 sounds, expected one"),
        (segment, "segment", "nan", "Segment of Audio: the input audio: "),
        (segment, "segment", "empty", "Segment of Audio: the input audio is empty"),
    ],
)
def test_bad_sounds(rhythm: Comfy, graph: Any, name: str, kind: str, says: str) -> None:
    odd = {"class_type": "ProbeAudio", "inputs": {"audio": ["sound", 0], "kind": kind}}
    run = rhythm.run({**graph(audio=["odd", 0]), "odd": odd, **looks(name, look=1)})
    assert run.message.startswith(says)


def test_what_the_server_refuses(rhythm: Comfy) -> None:
    assert "smaller than min of 0.01: fps" in rhythm.refused(cut(fps=0.0))
    assert "lengths is 'LTX': choose one of any" in rhythm.refused(cut(lengths="LTX"))
    assert "cut_on is 'bars'" in rhythm.refused(cut(cut_on="bars"))
    graph = {**segment(fps=0.0), **looks("segment", look=1)}
    assert "smaller than min of 0.01: fps" in rhythm.refused(graph)
