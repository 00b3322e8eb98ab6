"""AV-Align Score on a real ComfyUI: the published numbers, the variants, scores that are undefined."""

from __future__ import annotations

import json
import shutil
import urllib.request
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from PIL import Image

from tests.comfyui.driver import Comfy, Graph, changed, node_of
from tests.golden_recipe import GOLDEN


@pytest.mark.parametrize("variant", ["legacy", "paper", "trusted"])
def test_variants_of_the_score(comfy: Comfy, graph: Graph, variant: str) -> None:
    run = comfy.good(changed(graph, A2VAVAlignScore={"variant": variant}))
    (text,) = run.outputs[node_of(graph, "A2VAVAlignScore")]["text"]
    assert text.startswith(f"AV-Align {variant}: ")


def test_a_score_that_is_undefined(probes: Comfy, graph: Graph) -> None:
    """Black pictures and a sound without onsets: NaN, and the reason."""
    score = {**graph[node_of(graph, "A2VAVAlignScore")]}
    score["inputs"] = {
        "images": ["black", 0],
        "audio": ["silence", 0],
        "fps": 12.0,
        "variant": "reference",
        "tolerance_ms": 0.0,
    }
    still = {
        "black": {
            "class_type": "EmptyImage",
            "inputs": {"width": 64, "height": 64, "batch_size": 8, "color": 0},
        },
        "silence": {
            "class_type": "EmptyAudio",
            "inputs": {"duration": 1.0, "sample_rate": 16000, "channels": 1},
        },
        "score": score,
        "number": {"class_type": "ProbeLook", "inputs": {"value": ["score", 0]}},
        "corrected": {"class_type": "ProbeLook", "inputs": {"value": ["score", 2]}},
        "report": {"class_type": "ProbeLook", "inputs": {"value": ["score", 1]}},
    }
    outputs = probes.good(still).outputs
    assert outputs["number"]["text"] == ["nan"]
    assert outputs["corrected"]["text"] == ["nan"]
    assert "undefined: no onset in the sound and no motion peak in the video" in outputs["report"]["text"][0]


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (-1, "AV-Align Score: the input images are None; connect the frames of a video"),
        (0, "AV-Align Score: the input images are [0, 16, 16, 3]: expected frames"),
    ],
)
def test_a_video_without_frames_is_named(probes: Comfy, graph: Graph, count: int, message: str) -> None:
    odd = {**graph, "images": {"class_type": "ProbeImages", "inputs": {"count": count}}}
    run = probes.run(changed(odd, A2VAVAlignScore={"images": ["images", 0]}))
    assert message in run.message


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_video_too_short_to_move_is_undefined(probes: Comfy, graph: Graph, count: int) -> None:
    odd = {**graph, "images": {"class_type": "ProbeImages", "inputs": {"count": count}}}
    run = probes.good(changed(odd, A2VAVAlignScore={"images": ["images", 0]}))
    (text,) = run.outputs[node_of(graph, "A2VAVAlignScore")]["text"]
    assert "undefined" in text


def test_the_score_of_the_golden_clips(probes: Comfy) -> None:
    """Through ComfyUI's own video loader the node scores what the published code scores."""
    clip = "clip0_sync_12fps"
    expected = json.loads((GOLDEN / "av_align" / "expected.json").read_text())[clip]["av_align"]
    shutil.copy(GOLDEN / "av_align" / f"{clip}.mp4", probes.server.input)
    shutil.copy(GOLDEN / "av_align" / f"{clip}.wav", probes.server.input)
    golden = {
        "video": {"class_type": "LoadVideo", "inputs": {"file": f"{clip}.mp4"}},
        "parts": {"class_type": "GetVideoComponents", "inputs": {"video": ["video", 0]}},
        "sound": {"class_type": "LoadAudio", "inputs": {"audio": f"{clip}.wav"}},
        "score": {
            "class_type": "A2VAVAlignScore",
            "inputs": {
                "images": ["parts", 0],
                "audio": ["sound", 0],
                "fps": ["parts", 2],
                "variant": "reference",
            },
        },
        "number": {"class_type": "ProbeLook", "inputs": {"value": ["score", 0]}},
    }
    (text,) = probes.good(golden).outputs["number"]["text"]
    assert float(text) == pytest.approx(expected)


def golden_graph(clip: str, server_input: Path, **score: Any) -> Graph:
    """The golden clip as a VIDEO into the node's images socket, and looks at all that comes out."""
    for suffix in (".mp4", ".wav"):
        shutil.copy(GOLDEN / "av_align" / f"{clip}{suffix}", server_input)
    inputs = {
        "images": ["video", 0],
        "audio": ["sound", 0],
        "fps": 1.0,
        "variant": "reference",
        "tolerance_ms": 0.0,
    }
    looks = {
        name: {"class_type": "ProbeLook", "inputs": {"value": ["score", index]}}
        for index, name in enumerate(("number", "report", "corrected", "picture"))
    }
    return {
        "video": {"class_type": "LoadVideo", "inputs": {"file": f"{clip}.mp4"}},
        "sound": {"class_type": "LoadAudio", "inputs": {"audio": f"{clip}.wav"}},
        "score": {"class_type": "A2VAVAlignScore", "inputs": inputs | score},
        **looks,
    }


def test_a_video_brings_its_own_fps_and_the_picture_is_shown(probes: Comfy) -> None:
    run = probes.good(golden_graph("clip0_sync_12fps", probes.server.input))
    assert float(run.outputs["number"]["text"][0]) == pytest.approx(0.8)
    assert float(run.outputs["corrected"]["text"][0]) == pytest.approx(0.9467, abs=1e-4)
    report = run.outputs["report"]["text"][0]
    assert "24 frames, 96 x 96, 12 fps" in report
    assert "AV-Align trusted: 0.969 (chance 0.423, p 0.046)" in report
    assert "chance-corrected: 0.947" in report
    (shown,) = run.outputs["score"]["images"]
    assert run.outputs["score"]["text"][0].startswith("AV-Align reference: 0.800")
    with urllib.request.urlopen(f"{probes.server.url}/view?{urlencode(shown)}", timeout=60) as answer:
        data = BytesIO(answer.read())
    with Image.open(data) as picture:
        picture.load()
        assert picture.size == (768, 384)
        assert len(picture.getcolors(1_000_000) or []) > 200


def test_a_wider_tolerance_matches_more(probes: Comfy) -> None:
    """The late clip's picture follows a quarter of a second after its sound, which counts little."""
    scores = []
    for tolerance in (0.0, 400.0):
        graph = golden_graph(
            "clip3_late_24fps", probes.server.input, tolerance_ms=tolerance, variant="trusted"
        )
        scores.append(float(probes.good(graph).outputs["number"]["text"][0]))
    assert scores == [0.0, pytest.approx(0.4075, abs=1e-3)]
