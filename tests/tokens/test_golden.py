"""The full-size mapper gives the numbers of the published code, loaded from both kinds of file."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from a2v_core.audio.features import AudioFeatures
from a2v_core.models import convert
from a2v_core.tokens import AudioMapper, load_mapper, stack_layers
from a2v_core.tokens.config import PUBLISHED_BASE_MODEL
from tests.golden_recipe import GOLDEN, fill_module, recipe

LAYOUT = json.loads((GOLDEN / "mapper_official_layout.json").read_text())
WORDS = ("temp", "local1", "local2", "local3", "local4", "class")
# Tokens of the published run -> the frame rate at which 24 frames take that much sound.
FPS = {48: 24.0, 96: 12.0, 192: 6.0}


@pytest.fixture(scope="module", params=["learned_embeds.pth", "mapper.safetensors"])
def mapper(request: pytest.FixtureRequest) -> AudioMapper:
    """The full-size mapper; the 132 MB files go as soon as it is read."""
    with TemporaryDirectory() as folder:
        published = Path(folder) / "learned_embeds.pth"
        torch.save({f"module.{key}": value for key, value in fill_module(LAYOUT).items()}, published)
        if request.param == published.name:
            loaded = load_mapper(published)
        else:
            convert(published, Path(folder) / request.param)
            loaded = load_mapper(Path(folder) / request.param)
    return loaded


@pytest.fixture(scope="module")
def golden() -> dict[str, Tensor]:
    return load_file(GOLDEN / "mapper.safetensors")


def golden_features(tokens: int) -> AudioFeatures:
    """The golden input, taken apart into 12 layers, time steps and 8 frequency patches."""
    steps = tokens // 8
    flat = recipe(f"input{tokens}", (2, tokens, 9216)) * 96
    layers = flat.view(2, steps, 8, 12, 768).permute(0, 3, 1, 2, 4)
    times = torch.arange(steps) * 0.16
    return AudioFeatures(layers, times, 24 / FPS[tokens], 0.16, torch.zeros(2, 1))


def test_state_dict_is_the_published_one(mapper: AudioMapper) -> None:
    assert {key: list(value.shape) for key, value in mapper.state_dict().items()} == LAYOUT
    assert sum(value.numel() for value in mapper.parameters()) == 33_106_435
    assert mapper.config.layout == "reference"
    assert mapper.config.base_model == PUBLISHED_BASE_MODEL
    assert not mapper.training


@pytest.mark.parametrize("tokens", FPS)
def test_inference_equals_the_published_code(
    mapper: AudioMapper, golden: dict[str, Tensor], tokens: int
) -> None:
    features = golden_features(tokens)
    for index in range(2):
        frame_tokens = mapper.frame_tokens(features, num_frames=0, fps=FPS[tokens], index=index)
        audio_tokens = mapper.pool(frame_tokens)
        assert audio_tokens.num_frames == 24
        assert tuple(audio_tokens.words) == WORDS
        for word, found in audio_tokens.words.items():
            expected = golden[f"{word}_{tokens}"][index].expand(24, -1)
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=0, msg=f"{word}_{tokens}")


@pytest.mark.parametrize("tokens", FPS)
def test_training_call_equals_the_published_code(
    mapper: AudioMapper, golden: dict[str, Tensor], tokens: int
) -> None:
    features = golden_features(tokens)
    with torch.no_grad():
        words = mapper(stack_layers(features.layers), features.times, 24, FPS[tokens])
    for word, found in words.items():
        expected = golden[f"{word}_{tokens}"].view(2, -1, 1024).expand(2, 24, 1024)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0, msg=f"{word}_{tokens}")
