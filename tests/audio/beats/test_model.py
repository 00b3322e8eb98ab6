"""The network at a tiny size: position bias, batches, training, what it refuses."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from a2v_core.audio import BEATs, BEATsConfig
from a2v_core.audio.beats.attention import GatedSelfAttention, distance_buckets
from a2v_core.audio.beats.model import WeightNormConv1d
from a2v_core.errors import CheckpointError, MediaError
from tests.audio.tiny import TINY_CFG, tiny_beats


def test_buckets_of_the_published_size() -> None:
    distances = torch.tensor([0, -1, -79, -80, -799, -5000, 1, 79, 80, 799, 5000])
    rows = distance_buckets(distances, num_buckets=320, max_distance=800)
    assert rows.tolist() == [0, 1, 79, 80, 159, 159, 161, 239, 240, 319, 319]
    middle = 80 + int(math.log(253 / 80) / math.log(10) * 80)
    assert distance_buckets(torch.tensor([-253]), 320, 800).tolist() == [middle] == [120]


def published_attention(attention: GatedSelfAttention, x: Tensor) -> Tensor:
    """The published formula written out: all scores at once, the bias as a full table."""
    batch, tokens, width = x.shape
    heads = attention.heads

    def split(y: Tensor) -> Tensor:
        return y.view(batch, tokens, heads, width // heads).transpose(1, 2)

    query, key, value = (split(p(x)) for p in (attention.q_proj, attention.k_proj, attention.v_proj))
    position = torch.arange(tokens)
    rows = distance_buckets(
        position[None, :] - position[:, None], attention.config.num_buckets, attention.config.max_distance
    )
    bias = attention.relative_attention_bias(rows).permute(2, 0, 1)[None]
    gates = torch.sigmoid(attention.grep_linear(query).view(batch, heads, tokens, 2, 4).sum(-1))
    gate = gates[..., :1] * (gates[..., 1:] * attention.grep_a - 1.0) + 2.0
    scores = query @ key.transpose(-1, -2) / math.sqrt(width // heads) + gate * bias
    mixed = (scores.softmax(dim=-1) @ value).transpose(1, 2).reshape(batch, tokens, width)
    out: Tensor = attention.out_proj(mixed)
    return out


@pytest.mark.parametrize(("batch", "tokens"), [(2, 1), (2, 8), (2, 200), (8, 1100)])  # the last: in blocks
def test_attention_is_the_published_formula(batch: int, tokens: int, tiny_model: BEATs) -> None:
    attention = tiny_model.encoder.layers[1].self_attn
    assert isinstance(attention, GatedSelfAttention)
    x = torch.randn(batch, tokens, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        actual = attention(x, attention.bias_by_distance(tokens))
        torch.testing.assert_close(actual, published_attention(attention, x), atol=1e-5, rtol=1e-5)


def test_a_sound_does_not_depend_on_its_batch(tiny_model: BEATs) -> None:
    fbank = torch.randn(3, 50, 128, generator=torch.Generator().manual_seed(0))
    together = tiny_model(fbank)
    assert [layer.shape for layer in together] == [(3, 24, 32)] * 3
    for number in range(3):
        alone = tiny_model(fbank[number : number + 1])
        for layer, expected in zip(together, alone, strict=True):
            torch.testing.assert_close(layer[number : number + 1], expected, atol=1e-5, rtol=1e-5)


def test_frames_beyond_the_last_patch_are_not_seen(tiny_model: BEATs) -> None:
    fbank = torch.randn(1, 47, 128, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(tiny_model(fbank)[-1], tiny_model(fbank[:, :32])[-1], atol=0, rtol=0)


def test_it_trains() -> None:
    model = tiny_beats(seed=1).train()
    fbank = torch.randn(8, 32, 128, generator=torch.Generator().manual_seed(0))
    wanted = torch.nn.functional.one_hot(torch.arange(8) % 5, 5).float()
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(25):
        assert model.predictor is not None
        logits = model.predictor(model(fbank)[-1]).mean(dim=1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted)
        optimiser.zero_grad()
        loss.backward()
        missing = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
        assert missing == []
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_all_layers_share_one_bias_table(tiny_model: BEATs) -> None:
    tables = [key for key in tiny_model.state_dict() if key.endswith("relative_attention_bias.weight")]
    assert len(tables) == 3
    assert sum("relative_attention_bias" in name for name, _ in tiny_model.named_parameters()) == 1


def test_fresh_position_convolution_has_consistent_norms() -> None:
    conv = tiny_beats().encoder.pos_conv[0]
    assert isinstance(conv, WeightNormConv1d)
    torch.testing.assert_close(conv.weight_g, conv.weight_v.norm(dim=(0, 1), keepdim=True))


def test_without_a_classifier() -> None:
    model = tiny_beats(finetuned_model=False)
    assert model.predictor is None
    assert not any(key.startswith("predictor") for key in model.state_dict())
    assert model.config.predictor_class == 0


def test_equal_widths_need_no_projection() -> None:
    model = tiny_beats(embed_dim=32)
    assert "post_extract_proj.weight" not in model.state_dict()
    assert model(torch.zeros(1, 16, 128))[-1].shape == (1, 8, 32)


def test_deep_norm_scale() -> None:
    assert BEATsConfig.from_cfg(TINY_CFG | {"encoder_layers": 12}).residual_scale == pytest.approx(
        2.2134, abs=1e-4
    )
    assert BEATsConfig.from_cfg(TINY_CFG | {"deep_norm": False}).residual_scale == 1


def test_config_there_and_back() -> None:
    for cfg in (TINY_CFG, TINY_CFG | {"finetuned_model": False}):
        config = BEATsConfig.from_cfg(cfg)
        assert BEATsConfig.from_cfg(config.to_cfg()) == config


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"layer_norm_first": True}, "layer_norm_first"),
        ({"activation_fn": "relu"}, "activation_fn"),
        ({"gru_rel_pos": False}, "gru_rel_pos"),
        ({"max_distance": None}, "max_distance"),
        ({"encoder_layers": "12"}, "encoder_layers"),
        ({"encoder_layers": -1}, "encoder_layers"),
        ({"deep_norm": 1}, "deep_norm"),
        ({"encoder_attention_heads": 5}, "sizes"),
        ({"max_distance": 4}, "sizes"),
    ],
)
def test_refuses_a_cfg_that_no_published_model_has(changes: dict[str, object], names: str) -> None:
    with pytest.raises(CheckpointError, match=names):
        BEATsConfig.from_cfg(TINY_CFG | changes)


@pytest.mark.parametrize("shape", [(1, 15, 128), (1, 32, 64), (32, 128)])
def test_refuses_less_than_a_patch(tiny_model: BEATs, shape: tuple[int, ...]) -> None:
    with pytest.raises(MediaError, match="at least 16 frames"):
        tiny_model(torch.zeros(shape))
