"""The example workflows on the bundled models, exactly as they ship."""

from __future__ import annotations

from itertools import pairwise

import pytest

from a2v_core.demo import FPS, SIZE, demo_path
from a2v_core.media import load_audio, read_video
from tests.comfyui.driver import Comfy, changed, load_graph, node_of
from training.demo_world.recognise import count_matched, recognise


@pytest.mark.parametrize(
    "name",
    ["audio_to_video", "text_and_audio_to_video", "sound_schedule_to_prompts", "wan_audio_to_video"],
)
def test_a_fresh_install_makes_a_video(comfy: Comfy, name: str) -> None:
    graph = load_graph(name)
    sound = graph[node_of(graph, "A2VLoadAudio")]["inputs"]["audio"].removeprefix("demo (bundled): ")
    seconds = load_audio(demo_path("sounds") / sound).duration
    run = comfy.good(graph)
    path = comfy.file(run, node_of(graph, "SaveVideo"))
    clip = read_video(path)
    frames = round(seconds * FPS)
    assert tuple(clip.frames.shape) == (frames + (name == "wan_audio_to_video"), SIZE, SIZE, 3)  # 4n + 1
    assert clip.fps == FPS
    assert abs(load_audio(path).duration - seconds) < 0.1
    (text,) = run.outputs[node_of(graph, "A2VAVAlignScore")]["text"]
    assert float(text.split()[2]) > 0.3


def test_each_shot_shows_what_is_heard_in_it(comfy: Comfy) -> None:
    graph = changed(load_graph("sound_events_to_shots"), KSampler={"steps": 8})
    run = comfy.good(graph)
    path = comfy.file(run, node_of(graph, "SaveVideo"))
    clip = read_video(path)
    assert (clip.frames.shape, clip.fps) == ((84, SIZE, SIZE, 3), FPS)
    assert abs(load_audio(path).duration - 7.0) < 0.1
    shots = clip.frames.numpy()
    seen = [recognise(shots[first:end]) for first, end in pairwise([0, 17, 34, 51, 67, 84])]
    assert [one.shape for one in seen] == ["ball", "ball", "ring", "ring", "bell"]
    assert [one.colour for one in seen] == ["red", "red", "green", "green", "yellow"]
    (text,) = run.outputs[node_of(graph, "A2VAVAlignScore")]["text"]
    assert float(text.split()[2]) > 0.5


def test_two_steps_do_with_the_bundled_lora(comfy: Comfy) -> None:
    graph = changed(
        load_graph("audio_to_video"),
        A2VLoadT2VModel={"lora_name": "demo (bundled)"},
        A2VT2VSampler={"steps": 2, "cfg": 1.0, "scheduler": "lcm"},
    )
    frames = read_video(comfy.file(comfy.good(graph), node_of(graph, "SaveVideo"))).frames
    seen = recognise(frames.numpy())
    assert (seen.shape, seen.colour) == ("ball", "red")
    assert count_matched(seen.leaps, [2, 7, 13, 17]) >= 3  # the beats of the bundled drum


def test_every_bundled_sound_is_in_the_dropdown(comfy: Comfy) -> None:
    options = comfy.get("/object_info/A2VLoadAudio")["A2VLoadAudio"]["input"]["required"]["audio"][1][
        "options"
    ]
    bundled = [f"demo (bundled): {path.name}" for path in sorted(demo_path("sounds").glob("*.wav"))]
    assert bundled
    assert options[-len(bundled) :] == bundled
