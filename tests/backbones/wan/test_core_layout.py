"""Wan under ComfyUI's names: diffusers' own converters, which go the other way, lead back exactly."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from a2v_core.backbones.wan import core_transformer, core_vae
from a2v_core.errors import A2VError


def transformer(**options: Any) -> dict[str, torch.Tensor]:
    from diffusers import WanTransformer3DModel

    model = WanTransformer3DModel(
        num_attention_heads=1,
        attention_head_dim=24,
        text_dim=16,
        freq_dim=8,
        ffn_dim=32,
        num_layers=2,
        **options,
    )
    return dict(model.state_dict())


def vae() -> dict[str, torch.Tensor]:
    from diffusers import AutoencoderKLWan

    return dict(AutoencoderKLWan(base_dim=4).state_dict())


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert all(found[name] is expected[name] for name in expected)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"in_channels": 36, "image_dim": 16, "added_kv_proj_dim": 24},
        {"in_channels": 48, "out_channels": 48},
    ],
    ids=["t2v", "i2v", "ti2v"],
)
def test_the_transformer_comes_back(options: dict[str, Any]) -> None:
    from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers

    weights = transformer(**options)
    assert_same(convert_wan_transformer_to_diffusers(core_transformer(weights)), weights)


def test_the_vae_comes_back() -> None:
    from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers

    weights = vae()
    assert len(weights) == 194
    assert_same(convert_wan_vae_to_diffusers(core_vae(weights)), weights)


def test_published_names() -> None:
    """What ComfyUI recognises the models by."""
    names = core_transformer(transformer())
    assert {"head.modulation", "blocks.1.self_attn.q.weight", "blocks.1.norm3.weight"} <= names.keys()
    names = core_vae(vae())
    assert {"decoder.middle.0.residual.0.gamma", "decoder.upsamples.3.time_conv.weight"} <= names.keys()


def test_another_model_is_refused() -> None:
    from diffusers import AutoencoderKLWan

    with pytest.raises(A2VError, match=r"down_blocks.*is no weight of AutoencoderKLWan of Wan 2.1"):
        core_vae(dict(AutoencoderKLWan(base_dim=4, is_residual=True).state_dict()))
    with pytest.raises(A2VError, match=r"blocks.0.attn1.to_q.weight: is no weight of AutoencoderKLWan"):
        core_vae({"blocks.0.attn1.to_q.weight": torch.zeros(1)})
    with pytest.raises(A2VError, match=r"conv1\.weight: is no weight of WanTransformer3DModel"):
        core_transformer({"conv1.weight": torch.zeros(1)})
