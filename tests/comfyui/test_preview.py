"""Preview Audio Tokens on a real ComfyUI: the picture goes out and is shown in the node."""

from __future__ import annotations

import urllib.request
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from PIL import Image

from tests.comfyui.driver import Comfy, Graph, node_of


def previewed(graph: Graph, sound: str = "A2VLoadAudio", tokens: bool = True, **widgets: int) -> Graph:
    """The graph up to the audio tokens, a preview of them and a look at its picture."""
    inputs: dict[str, Any] = {"audio": [node_of(graph, sound), 0], "width": 768, "batch_index": 0, **widgets}
    if tokens:
        inputs["audio_tokens"] = [node_of(graph, "A2VTemporalContextPooling"), 0]
    kinds = ("A2VLoadAudio", "A2VLoadBEATs", "A2VBEATsEncode", "A2VLoadAudioMapper", "A2VAudioMapper")
    kept = {
        key: node
        for key, node in graph.items()
        if node["class_type"] in (*kinds, "A2VTemporalContextPooling", "ProbeAudio")
    }
    return {
        **kept,
        "preview": {"class_type": "A2VAudioPreview", "inputs": inputs},
        "look": {"class_type": "ProbeLook", "inputs": {"value": ["preview", 0]}},
    }


@pytest.mark.parametrize(
    ("tokens", "width", "height"), [(True, 768, 412), (False, 768, 230), (True, 384, 412)]
)
def test_the_picture_is_an_image_and_shown(
    probes: Comfy, graph: Graph, tokens: bool, width: int, height: int
) -> None:
    run = probes.good(previewed(graph, tokens=tokens, width=width))
    (text,) = run.outputs["look"]["text"]
    assert text.startswith(f"torch.float32 [1, {height}, {width}, 3] cpu 0.")
    (shown,) = run.outputs["preview"]["images"]
    with urllib.request.urlopen(f"{probes.server.url}/view?{urlencode(shown)}", timeout=60) as answer:
        picture = Image.open(BytesIO(answer.read()))
    assert picture.size == (width, height)


def test_another_sound_of_the_batch(probes: Comfy, graph: Graph) -> None:
    """The batch is silence and the sound."""
    loader = node_of(graph, "A2VLoadAudio")
    batch = {**graph, "odd": {"class_type": "ProbeAudio", "inputs": {"audio": [loader, 0], "kind": "batch"}}}
    ranges = []
    for index in (0, 1):
        whole = previewed(batch, "ProbeAudio", tokens=False, batch_index=index)
        (shown,) = probes.good(whole).outputs["preview"]["images"]
        with urllib.request.urlopen(f"{probes.server.url}/view?{urlencode(shown)}", timeout=60) as answer:
            ranges.append(len(Image.open(BytesIO(answer.read())).getcolors(1_000_000) or []))
    assert ranges[1] > ranges[0]
    run = probes.run(previewed(batch, "ProbeAudio", batch_index=2))
    assert run.message.startswith(
        "Preview Audio Tokens: batch_index is 2, but the input audio has 2 sounds (from 0)"
    )
