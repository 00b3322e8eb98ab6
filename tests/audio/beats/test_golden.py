"""The full-size network against numbers that the published code computed."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.audio import BEATs, beats_fbank, encode_audio
from a2v_core.tokens import stack_layers


@pytest.fixture(scope="module")
def layers_2s(full_model: BEATs, golden: dict[str, Tensor]) -> tuple[Tensor, ...]:
    layers: tuple[Tensor, ...] = full_model(beats_fbank(golden["waveform_2s"]))
    return layers


def test_state_dict_is_the_published_one(full_model: BEATs, layout: dict[str, Any]) -> None:
    shapes = {key: list(value.shape) for key, value in full_model.state_dict().items()}
    assert shapes == layout["state_dict"]
    assert len(shapes) == 252
    assert sum(p.numel() for p in full_model.parameters()) == 90_311_792 + 527 * 768 + 527


@pytest.mark.parametrize("length", ["1p0s", "5p37s", "10p0s"])
def test_last_layer(full_model: BEATs, golden: dict[str, Tensor], length: str) -> None:
    last = full_model(beats_fbank(golden[f"waveform_{length}"]))[-1]
    torch.testing.assert_close(last, golden[f"final_{length}"], atol=2e-4, rtol=0)


def test_every_layer(layers_2s: tuple[Tensor, ...], golden: dict[str, Tensor]) -> None:
    assert len(layers_2s) == 12
    torch.testing.assert_close(layers_2s[-1], golden["final_2s"], atol=2e-4, rtol=0)
    for number in (0, 5, 11):
        expected = golden[f"layer{number}_2s_clip0"]
        torch.testing.assert_close(layers_2s[number][0], expected, atol=2e-4, rtol=0)
    stacked = torch.stack(layers_2s, dim=1).flatten(2)
    torch.testing.assert_close(stacked.mean(-1), golden["layer_mean_2s"], atol=1e-5, rtol=0)
    torch.testing.assert_close(stacked.std(-1), golden["layer_std_2s"], atol=1e-5, rtol=0)


def test_classifier(full_model: BEATs, layers_2s: tuple[Tensor, ...], golden: dict[str, Tensor]) -> None:
    assert full_model.predictor is not None
    probabilities = full_model.predictor(layers_2s[-1]).mean(dim=1).sigmoid()
    torch.testing.assert_close(probabilities, golden["probabilities_2s"], atol=1e-4, rtol=0)


def test_features_are_the_published_concatenation(
    full_model: BEATs, layers_2s: tuple[Tensor, ...], golden: dict[str, Tensor]
) -> None:
    features = encode_audio(full_model, golden["waveform_2s"].unsqueeze(1), 16_000)
    assert features.layers.shape == (2, 12, 12, 8, 768)
    concatenated = stack_layers(features.layers).flatten(1, 2)
    torch.testing.assert_close(concatenated, torch.cat(layers_2s, dim=2), atol=1e-5, rtol=0)
