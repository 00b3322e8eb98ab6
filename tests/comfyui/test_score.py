"""AV-Align Score on a real ComfyUI: the published numbers, the variants, scores that are undefined."""

from __future__ import annotations

import json
import shutil

import pytest

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
    score["inputs"] = {"images": ["black", 0], "audio": ["silence", 0], "fps": 12.0, "variant": "reference"}
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
        "report": {"class_type": "ProbeLook", "inputs": {"value": ["score", 1]}},
    }
    outputs = probes.good(still).outputs
    assert outputs["number"]["text"] == ["nan"]
    assert "undefined: no onset in the sound and no motion peak in the video" in outputs["report"]["text"][0]


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
