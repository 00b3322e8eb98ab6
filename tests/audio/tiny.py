"""A BEATs of a few thousand parameters: the published architecture at a size that runs in milliseconds."""

from __future__ import annotations

import torch

from a2v_core.audio import BEATs, BEATsConfig

TINY_CFG: dict[str, object] = {
    "input_patch_size": 16,
    "embed_dim": 24,
    "conv_bias": False,
    "encoder_layers": 3,
    "encoder_embed_dim": 32,
    "encoder_ffn_embed_dim": 64,
    "encoder_attention_heads": 4,
    "activation_fn": "gelu",
    "layer_norm_first": False,
    "deep_norm": True,
    "conv_pos": 16,
    "conv_pos_groups": 4,
    "relative_position_embedding": True,
    "num_buckets": 32,
    "max_distance": 80,
    "gru_rel_pos": True,
    "finetuned_model": True,
    "predictor_class": 5,
    "dropout": 0.1,
    "encoder_layerdrop": 0.05,
}


def tiny_beats(seed: int = 0, **changes: object) -> BEATs:
    torch.manual_seed(seed)
    model = BEATs(BEATsConfig.from_cfg(TINY_CFG | changes))
    # The initial bias table is almost zero: widen it, so that a fault in its use shows.
    torch.nn.init.normal_(model.state_dict()["encoder.layers.0.self_attn.relative_attention_bias.weight"])
    return model.eval()
