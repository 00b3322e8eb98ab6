"""The bundled Wan in ComfyUI's own loaders and sampler."""

from __future__ import annotations

import pytest
import torch

from a2v_core.backbones.wan import CORE_WIDTH, encode_texts, load_text
from a2v_core.demo import demo_path
from tests.comfyui.core_graphs import latents_of, node
from tests.comfyui.driver import Comfy

POSITIONS = 32


@pytest.mark.parametrize("text", ["a video of a red ball bouncing on the left", ""])
def test_its_text_is_that_which_it_was_trained_with(probes: Comfy, text: str) -> None:
    graph = {
        "clip": node("A2VLoadDemoCLIP"),
        "text": node("CLIPTextEncode", clip=["clip", 0], text=text),
        "states": node("ProbeStates", conditioning=["text", 0]),
    }
    found = latents_of(probes, graph, "states")
    expected = encode_texts(*load_text(demo_path("t2v"), CORE_WIDTH, torch.float32), [text])
    assert found.shape == (1, POSITIONS, CORE_WIDTH)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    words = len(text.split())
    assert torch.equal(found.abs().amax(dim=2)[0] > 0, torch.arange(POSITIONS) < words + 2)


def test_a_longer_text_is_read_in_two_parts(probes: Comfy) -> None:
    graph = {
        "clip": node("A2VLoadDemoCLIP"),
        "text": node("CLIPTextEncode", clip=["clip", 0], text="a red ball " * 12),
        "states": node("ProbeStates", conditioning=["text", 0]),
    }
    assert latents_of(probes, graph, "states").shape == (1, 2 * POSITIONS, CORE_WIDTH)
