"""Cancel takes effect at once at every stage that can take long, and the server lives on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.comfyui.driver import Comfy, Graph, changed, node_of
from tests.comfyui.tiny_models import RATE, hits
from tests.media.files import write_sound

Stage = Callable[[Graph], Graph]

LONG = "long.wav"
AT_ONCE = 4.0  # seconds, on a busy machine; every one of these runs would take much longer


def sampling(graph: Graph) -> Graph:
    return changed(graph, A2VT2VSampler={"steps": 900, "seed": 1})


def decoding(graph: Graph) -> Graph:
    return changed(
        graph,
        A2VT2VSampler={
            "steps": 1,
            "cfg": 1.0,
            "decode_chunk": 1,
            "width": 128,
            "height": 128,
            "speed": "bf16",
        },
        A2VAudioMapper={"num_frames": 96},
    )


def encoding(graph: Graph) -> Graph:
    return changed(graph, A2VLoadAudio={"audio": LONG}, A2VBEATsEncode={"chunk_seconds": 0.2, "hop": "40 ms"})


def scoring(graph: Graph) -> Graph:
    images = {"width": 256, "height": 256, "batch_size": 300, "color": 0}
    audio, score = node_of(graph, "A2VLoadAudio"), node_of(graph, "A2VAVAlignScore")
    empty = {"class_type": "EmptyImage", "inputs": images}
    alone = {audio: graph[audio], score: graph[score], "images": empty}
    return changed(alone, A2VAVAlignScore={"images": ["images", 0], "audio": [audio, 0], "fps": 12.0})


@pytest.fixture(scope="module", autouse=True)
def long_sound(comfy: Comfy) -> None:
    write_sound(comfy.server.input / LONG, hits(seconds=120.0), RATE, "pcm_s16le")


@pytest.mark.parametrize(
    ("stage", "node", "step"),
    [
        (sampling, "A2VT2VSampler", 3),
        (decoding, "A2VT2VSampler", 4),
        (encoding, "A2VBEATsEncode", 4),
        (scoring, "A2VAVAlignScore", 16),
    ],
)
def test_cancel(comfy: Comfy, graph: Graph, stage: Stage, node: str, step: int) -> None:
    slow = stage(graph)
    run, seconds = comfy.cancel_at(slow, node_of(slow, node), step)
    assert run.interrupted == node
    assert run.error is None
    assert seconds < AT_ONCE
    assert comfy.good(graph).error is None
