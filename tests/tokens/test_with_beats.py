"""From samples to tokens through a real (small) BEATs encoder."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import Tensor

from a2v_core.audio import BEATs, BEATsConfig, encode_audio
from a2v_core.tokens import AudioMapper, Layout, stack_layers
from tests.golden_recipe import fill_module, recipe
from tests.tokens.tiny import LAYER_WIDTH, LAYERS, published_run, tiny_mapper


@pytest.fixture(scope="module")
def beats() -> BEATs:
    config = BEATsConfig(
        input_patch_size=16,
        embed_dim=8,
        conv_bias=False,
        encoder_layers=LAYERS,
        encoder_embed_dim=LAYER_WIDTH,
        encoder_ffn_embed_dim=12,
        encoder_attention_heads=2,
        deep_norm=True,
        conv_pos=8,
        conv_pos_groups=2,
        num_buckets=32,
        max_distance=64,
        predictor_class=0,
    )
    model = BEATs(config)
    model.load_state_dict(fill_module(model.state_dict()))
    return model.eval()


def noise(seconds: float) -> Tensor:
    """[1, 1, N] at 16 kHz, a new burst every half second."""
    samples = recipe("noise", (1, round(seconds * 16000)))
    loudness = torch.linspace(1, 0, 8000).repeat(1, round(seconds * 2))[:, : samples.shape[1]]
    return (samples / samples.abs().max() * loudness)[None]


def run_of_crop(mapper: AudioMapper, beats: BEATs, crop: Tensor) -> dict[str, Tensor]:
    return published_run(mapper, stack_layers(encode_audio(beats, crop, 16000).layers).flatten(1, 2)[0])


@pytest.mark.parametrize(("seconds", "fps"), [(2.0, 12.0), (1.0, 24.0), (4.0, 6.0)])
def test_chunks_encoded_apart_are_published_runs_on_crops(beats: BEATs, seconds: float, fps: float) -> None:
    mapper = tiny_mapper("reference")
    sound = noise(2 * seconds)
    size = round(seconds * 16000)
    features = encode_audio(beats, sound, 16000, chunk_seconds=seconds)
    tokens = mapper.pool(mapper.frame_tokens(features, 0, fps))
    assert tokens.num_frames == 48
    first = run_of_crop(mapper, beats, sound[..., :size])
    second = run_of_crop(mapper, beats, sound[..., size:])
    assert not torch.allclose(first["temp"], second["temp"], atol=1e-3)
    for word, found in tokens.words.items():
        torch.testing.assert_close(found[:24], first[word], atol=1e-5, rtol=0, msg=word)
        torch.testing.assert_close(found[24:], second[word], atol=1e-5, rtol=0, msg=word)


@pytest.mark.parametrize("hop", [1, 2, 4])
@pytest.mark.parametrize("layout", get_args(Layout))
def test_a_burst_is_heard_in_its_own_frames(beats: BEATs, hop: int, layout: Layout) -> None:
    """Silencing a sound from 2.0 s on changes no frame up to the centre of the last step before that."""
    mapper = tiny_mapper(layout)
    sound = noise(4.0)
    other = sound.clone()
    other[..., 32000:] = 0
    before, after = (
        mapper.frame_tokens(encode_audio(beats, s, 16000, hop, chunk_seconds=2.0), 96, 24.0).tokens
        for s in (sound, other)
    )
    moved = (before - after).abs().amax(dim=1)
    assert moved[:44].max() < 1e-6
    assert moved[51:].min() > 1e-3
