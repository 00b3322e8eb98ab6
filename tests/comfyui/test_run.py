"""The graphs of the two example workflows on a real ComfyUI, from sound to mp4."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from a2v_core.media import load_audio, read_video
from tests.comfyui.conftest import toy
from tests.comfyui.driver import ALIKE, Comfy, Graph, changed, load_graph, node_of
from tests.comfyui.tiny_models import PUBLISHED_MAPPER, RATE, hits
from tests.media.files import write_sound


@pytest.mark.parametrize("name", ["audio_to_video", "text_and_audio_to_video"])
def test_sound_becomes_an_mp4(comfy: Comfy, name: str) -> None:
    graph = toy(load_graph(name))
    run = comfy.good(graph)
    path = comfy.file(run, node_of(graph, "SaveVideo"))
    clip = read_video(path)
    assert tuple(clip.frames.shape) == (8, 64, 64, 3)
    assert clip.fps == 8
    sound = load_audio(path)
    assert (sound.sample_rate, len(sound.samples)) == (RATE, 2)
    # AAC stores whole packets of 1024 samples.
    assert 0 <= sound.samples.shape[1] - RATE < 1024
    assert clip.frames.std() > 0.01
    (text,) = run.outputs[node_of(graph, "A2VAVAlignScore")]["text"]
    assert text.startswith("AV-Align reference: ")
    assert "8 frames, 64 x 64, 8 fps" in text
    assert "sound onsets: 3 at 0.2" in text


def test_takes_are_a_list_and_the_best_is_picked(comfy: Comfy, graph: Graph) -> None:
    """Three seeds, each as if it were alone; what follows runs for every take, Best Take for all at once."""
    sampler, save, sound = (node_of(graph, one) for one in ("A2VT2VSampler", "SaveVideo", "A2VLoadAudio"))
    inputs = {"takes": [sampler, 0], "audio": [sound, 0], "fps": 8.0, "frames_per_take": 0}
    pick = {
        "best": {"class_type": "A2VBestTake", "inputs": inputs},
        "report": {"class_type": "PreviewAny", "inputs": {"source": ["best", 4]}},
    }
    takes = changed(graph, A2VT2VSampler={"seed": 20, "takes": 3}) | pick
    run = comfy.good(takes)
    assert len(comfy.files(run, save)) == 3
    first, second, third = comfy.frames(takes).chunk(3)
    assert (first - second).abs().mean() > 0.01
    assert (third - comfy.frames(changed(graph, A2VT2VSampler={"seed": 22}))).abs().mean() < ALIKE
    assert run.outputs["report"]["text"][0].count("corrected") >= 3


def test_another_seed_runs_the_sampler_and_what_follows_it_only(comfy: Comfy, graph: Graph) -> None:
    sampler, save = node_of(graph, "A2VT2VSampler"), node_of(graph, "SaveVideo")
    following = {sampler, node_of(graph, "CreateVideo"), save, node_of(graph, "A2VAVAlignScore")}
    first = comfy.good(graph)
    assert comfy.good(graph).ran == set()
    log = len(comfy.server.log_text())
    second = comfy.good(changed(graph, A2VT2VSampler={"seed": 8}))
    assert second.ran == following
    before, after = (read_video(comfy.file(run, save)).frames for run in (first, second))
    assert (before - after).abs().mean() > 0.01
    # The models stay where they are: none is loaded again.
    assert "Requested to load" not in comfy.server.log_text()[log:]


def test_another_prompt_encodes_no_sound_again(comfy: Comfy, graph: Graph) -> None:
    comfy.good(graph)
    run = comfy.good(changed(graph, A2VT2VSampler={"prompt": "the <class> in <temp> the sun"}))
    assert {graph[key]["class_type"] for key in run.ran} == {
        "A2VT2VSampler",
        "CreateVideo",
        "SaveVideo",
        "A2VAVAlignScore",
    }


def test_a_file_that_changes_is_read_again(comfy: Comfy, graph: Graph) -> None:
    path = comfy.server.input / "changing.wav"
    write_sound(path, hits(), RATE, "pcm_s16le")
    changing = changed(graph, A2VLoadAudio={"audio": path.name})
    comfy.good(changing)
    assert comfy.good(changing).ran == set()
    write_sound(path, hits(seconds=0.5), RATE, "pcm_s16le")
    assert node_of(graph, "A2VLoadAudio") in comfy.good(changing).ran


def test_the_published_layout_runs_too(comfy: Comfy, graph: Graph) -> None:
    published = changed(
        graph,
        A2VLoadAudioMapper={"mapper_name": PUBLISHED_MAPPER},
        A2VBEATsEncode={"hop": "160 ms", "chunk_seconds": 0.5},
        A2VAudioMapper={"num_frames": 30, "fps": 24.0},
    )
    clip = read_video(comfy.file(comfy.good(published), node_of(graph, "SaveVideo")))
    assert (len(clip.frames), clip.fps) == (30, 24)


def test_text_without_sound(comfy: Comfy, graph: Graph) -> None:
    """No audio nodes at all: the model's own length, 12 fps, a video without sound."""
    text = {
        key: node
        for key, node in graph.items()
        if node["class_type"] in ("A2VLoadT2VModel", "A2VT2VSampler", "CreateVideo", "SaveVideo")
    }
    text = changed(
        text, A2VT2VSampler={"prompt": "a red ball", "audio_tokens": None, "audio": None, "steps": 1}
    )
    path = comfy.file(comfy.good(text), node_of(text, "SaveVideo"))
    clip = read_video(path)
    assert (len(clip.frames), clip.fps) == (24, 12)
    with pytest.raises(ValueError, match="without sound"):
        load_audio(path)


def test_sound_that_does_not_steer_sets_the_length(comfy: Comfy, graph: Graph) -> None:
    quiet = changed(graph, A2VT2VSampler={"prompt": "a red ball", "audio_tokens": None, "fps": 10.0})
    del quiet[node_of(quiet, "A2VAVAlignScore")]
    path = comfy.file(comfy.good(quiet), node_of(quiet, "SaveVideo"))
    assert len(read_video(path).frames) == 10
    assert load_audio(path).sample_rate == RATE


def test_words_alone_are_a_prompt(comfy: Comfy, graph: Graph) -> None:
    """Another sound gives another video, with the same seed and nothing but the words in the prompt."""
    words = changed(
        graph, A2VT2VSampler={"prompt": "<temp> <local1> <local2> <local3> <local4> <class>", "cfg": 1.0}
    )
    other = changed(words, A2VLoadAudio={"audio": "clip.mp4"}, A2VAudioMapper={"num_frames": 8})
    first, second = (comfy.frames(some) for some in (words, other))
    assert first.shape == second.shape
    assert (first - second).abs().mean() > 1e-3


def test_sound_longer_and_shorter_than_the_video(comfy: Comfy, graph: Graph) -> None:
    for frames, seconds in ((4, 0.5), (12, 1.5)):
        path = comfy.file(
            comfy.good(changed(graph, A2VAudioMapper={"num_frames": frames})), node_of(graph, "SaveVideo")
        )
        assert len(read_video(path).frames) == frames
        assert 0 <= load_audio(path).samples.shape[1] - round(seconds * RATE) < 1024


@pytest.mark.parametrize(("dtype", "most"), [("fp32", ALIKE), ("fp16", 0.02), ("bf16", 0.05), ("fp8", 0.1)])
def test_precision(comfy: Comfy, graph: Graph, dtype: str, most: float) -> None:
    """On the CPU auto is fp32. Recipe weights make much of roundings."""
    auto, chosen = (comfy.frames(some) for some in (graph, changed(graph, A2VLoadT2VModel={"dtype": dtype})))
    assert (auto - chosen).abs().mean() <= most


def test_a_preview_of_every_step(probes: Comfy, graph: Graph) -> None:
    """ComfyUI's own previewer, which this server was told to use."""
    pictures = probes.previews(changed(graph, A2VT2VSampler={"steps": 3, "seed": 11}))
    assert len(pictures) == 3
    shown = [np.asarray(Image.open(BytesIO(picture)).convert("RGB"), float) for picture in pictures]
    assert all(picture.std() > 5 for picture in shown)
    assert abs(shown[0] - shown[2]).mean() > 1


def test_no_previews_unless_asked_for(comfy: Comfy, graph: Graph) -> None:
    assert comfy.previews(changed(graph, A2VT2VSampler={"seed": 12})) == []
