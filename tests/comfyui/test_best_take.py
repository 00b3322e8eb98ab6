"""Best Take on a real ComfyUI: the take that follows the sound, from a list, a batch or VIDEOs."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from tests.comfyui.driver import Comfy, Graph
from tests.comfyui.signal_graphs import looks, probe
from tests.golden_recipe import GOLDEN

CLIP = "clip0_sync_12fps"
OUTPUTS = {"index": 2, "score": 3, "report": 4}


@pytest.fixture(scope="module")
def takes(probes: Comfy) -> Comfy:
    """The server with a golden video of 24 frames and its sound."""
    for name in (f"{CLIP}.mp4", f"{CLIP}.wav"):
        shutil.copy(GOLDEN / "av_align" / name, probes.server.input)
    return probes


def part(source: str, first: int, length: int) -> dict[str, Any]:
    inputs = {"image": [source, 0], "batch_index": first, "length": length}
    return {"class_type": "ImageFromBatch", "inputs": inputs}


def joined(one: str, other: str) -> dict[str, Any]:
    return {"class_type": "ImageBatch", "inputs": {"image1": [one, 0], "image2": [other, 0]}}


def graph(entry: list[Any], sound: str = f"{CLIP}.wav", **inputs: Any) -> Graph:
    """A batch and a list of two takes: the halves of the video in the wrong order, and the video."""
    pick = {"takes": entry, "audio": ["sound", 0], "fps": 12.0, "frames_per_take": 0}
    return {
        "video": {"class_type": "LoadVideo", "inputs": {"file": f"{CLIP}.mp4"}},
        "frames": {"class_type": "GetVideoComponents", "inputs": {"video": ["video", 0]}},
        "early": part("frames", 0, 10),
        "late": part("frames", 10, 14),
        "wrong": joined("late", "early"),
        "batch": joined("wrong", "frames"),
        "list": {"class_type": "RebatchImages", "inputs": {"images": ["batch", 0], "batch_size": 24}},
        "sound": {"class_type": "LoadAudio", "inputs": {"audio": sound}},
        "best": {"class_type": "A2VBestTake", "inputs": pick | inputs},
        **looks("best", **OUTPUTS),
    }


@pytest.mark.parametrize(("entry", "length"), [(["list", 0], 0), (["batch", 0], 24)])
def test_the_take_that_follows_the_sound_is_picked(takes: Comfy, entry: list[Any], length: int) -> None:
    same = {"same": {"class_type": "ProbeSame", "inputs": {"value": ["best", 0], "other": ["frames", 0]}}}
    run = takes.good(graph(entry, frames_per_take=length) | same | probe("best", picture=5))
    assert run.outputs["index"]["text"] == ["1"]
    assert float(run.outputs["score"]["text"][0]) == pytest.approx(0.9467, abs=1e-3)
    (report,) = run.outputs["report"]["text"]
    first, _, one, other = report.splitlines()
    assert first.startswith("take 1")
    assert "picked as the best of 2, whose mean is" in first
    assert "the best of as many equal ones would have" in first
    assert one.startswith("take 1  corrected  0.95  trusted  0.97  chance  0.42  best")
    assert other.startswith("take 0  corrected ")
    assert run.outputs["same"]["text"] == ["True 24 24"]
    assert "[1, 258, 768, 3]" in run.outputs["picture"]["text"][0]
    assert run.outputs["best"]["text"] == [report]


def test_the_video_of_the_best_has_its_sound(takes: Comfy) -> None:
    save = {
        "save": {
            "class_type": "SaveVideo",
            "inputs": {
                "video": ["best", 1],
                "filename_prefix": "best_take",
                "format": "auto",
                "codec": "auto",
            },
        }
    }
    run = takes.good(graph(["list", 0]) | save)
    (saved,) = run.outputs["save"]["images"]
    with av.open(str(Path(takes.server.folder) / "output" / saved["subfolder"] / saved["filename"])) as file:
        assert (file.streams.video[0].frames, file.streams.video[0].average_rate) == (24, Fraction(12))
        assert len(file.streams.audio) == 1


def test_a_broadcast_rate_is_exact(takes: Comfy) -> None:
    rate = {
        "parts": {"class_type": "GetVideoComponents", "inputs": {"video": ["best", 1]}},
        **looks("parts", rate=2),
    }
    run = takes.good(graph(["list", 0], fps=23.976) | rate)
    assert float(run.outputs["rate"]["text"][0]) == 24000 / 1001


def test_videos_bring_their_own_fps(takes: Comfy) -> None:
    run = takes.good(graph(["video", 0], fps=30.0))
    assert run.outputs["report"]["text"][0].startswith(
        "take 0: corrected AV-Align 0.947, the only one with a score\n"
    )


def test_silence_picks_nothing_and_says_so(takes: Comfy) -> None:
    silent = {"class_type": "EmptyAudio", "inputs": {"duration": 2.0, "sample_rate": 16000, "channels": 1}}
    run = takes.good(graph(["list", 0]) | {"sound": silent})
    assert run.outputs["index"]["text"] == ["0"]
    assert run.outputs["score"]["text"] == ["nan"]
    assert run.outputs["report"]["text"][0].splitlines()[:2] == [
        "No take can be scored, so none is picked: the first one is passed on.",
        "nothing picked, no take has a score; 2 undefined: the sound is silent",
    ]


def test_takes_of_a_length_that_does_not_fit_are_refused(takes: Comfy) -> None:
    said = takes.run(graph(["batch", 0], frames_per_take=20)).message
    assert "48 frames cannot be cut into takes of 20 (frames_per_take)" in said
