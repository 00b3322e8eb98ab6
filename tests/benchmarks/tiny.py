"""All models of the main job at a size that runs in milliseconds."""

from __future__ import annotations

from a2v_core.tokens import MapperConfig
from benchmarks.mid_model import MID, Sizes
from tests.audio.tiny import TINY_CFG

TEXT_WIDTH = 32
TINY = Sizes(
    beats=TINY_CFG,
    mapper=MapperConfig(input_size=3 * 32, hidden_size=16, output_size=TEXT_WIDTH),
    unet={
        **MID.unet,
        "sample_size": 2,
        "block_out_channels": (8, 8, 16, 16),
        "layers_per_block": 1,
        "cross_attention_dim": TEXT_WIDTH,
        "attention_head_dim": 4,
        "norm_num_groups": 4,
    },
    vae={**MID.vae, "block_out_channels": (8, 8, 8, 8), "layers_per_block": 1, "norm_num_groups": 4},
    text_encoder={
        **MID.text_encoder,
        "hidden_size": TEXT_WIDTH,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    },
)
