"""Where the parts of a model are while they work."""

from __future__ import annotations

import math

import pytest
import torch

from a2v_core.backbones import PARTS, Backbone, networks
from a2v_core.layers.stored import StoredLinear
from a2v_core.pipeline import InPlace, InTurn, VideoPipeline, VideoRequest
from a2v_core.sampling import SampleSettings
from tests.pipeline.tiny import tokens_of

# diffusers hands torch tensors to NumPy in ways that NumPy 2 will drop
pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")
REQUEST = VideoRequest("a <temp>", tokens_of(3), settings=SampleSettings(2, 3.0, width=16, height=16))


def devices(backbone: Backbone) -> list[str]:
    return [next(network.parameters()).device.type for network in networks(backbone)]


def test_in_place_moves_nothing(backbone: Backbone) -> None:
    memory = InPlace(backbone)
    before = devices(backbone)
    for part in PARTS:
        with memory.loaded(part, 1e18):
            assert devices(backbone) == before
        assert memory.free(part) == math.inf


def test_offloaded_weights_wait_while_the_denoiser_runs(backbone: Backbone) -> None:
    (denoiser,) = backbone.parts()["denoiser"]
    kept = {name: value.clone() for name, value in denoiser.state_dict().items()}
    with InTurn(backbone, "cpu").loaded("denoiser", 0):
        assert not any(isinstance(layer, StoredLinear) for layer in denoiser.modules())
    with InTurn(backbone, "cpu", offload=True).loaded("denoiser", 0):
        assert any(isinstance(layer, StoredLinear) for layer in denoiser.modules())
    found = denoiser.state_dict()
    assert all(torch.equal(found[name], value) for name, value in kept.items())


@pytest.mark.parametrize("offload", [False, True])
def test_the_video_is_the_same(offload: bool, backbone: Backbone) -> None:
    expected = VideoPipeline(backbone).generate(REQUEST)
    found = VideoPipeline(backbone, InTurn(backbone, "cpu", offload=offload)).generate(REQUEST)
    torch.testing.assert_close(found.latents, expected.latents, atol=1e-5, rtol=0)
