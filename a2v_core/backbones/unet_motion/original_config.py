"""Settings of the networks in a checkpoint of Stable Diffusion 1.x, from the sizes of their weights.

What does not show in a size is the same in all of them: heads, groups of normalisation, activations. Names
are those of the published code, without the prefix of a part. KeyError for a weight that is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

HEADS = 8  # of the UNet
HEAD_WIDTH = 64  # of the text encoder
SIZE, SCALE = 512, 0.18215


def unet_config(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Of UNet2DConditionModel."""
    levels: list[list[int]] = [[]]  # of every level the numbers of its layers
    for number in range(1, count(tensors, r"input_blocks\.(\d+)\.")):
        if f"input_blocks.{number}.0.op.weight" in tensors:
            levels.append([])
        else:
            levels[-1].append(number)
    attends = [f"input_blocks.{level[0]}.1.proj_in.weight" in tensors for level in levels]
    return {
        "sample_size": SIZE // 8,
        "in_channels": tensors["input_blocks.0.0.weight"].shape[1],
        "out_channels": tensors["out.2.weight"].shape[0],
        "block_out_channels": tuple(
            tensors[f"input_blocks.{level[0]}.0.out_layers.3.weight"].shape[0] for level in levels
        ),
        "layers_per_block": len(levels[0]),
        "down_block_types": tuple("CrossAttnDownBlock2D" if one else "DownBlock2D" for one in attends),
        "up_block_types": tuple("CrossAttnUpBlock2D" if one else "UpBlock2D" for one in reversed(attends)),
        "cross_attention_dim": tensors["middle_block.1.transformer_blocks.0.attn2.to_k.weight"].shape[1],
        "attention_head_dim": HEADS,
    }


def vae_config(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Of AutoencoderKL."""
    levels = count(tensors, r"encoder\.down\.(\d+)\.")
    return {
        "sample_size": SIZE,
        "latent_channels": tensors["decoder.conv_in.weight"].shape[1],
        "block_out_channels": tuple(
            tensors[f"encoder.down.{level}.block.0.conv2.weight"].shape[0] for level in range(levels)
        ),
        "layers_per_block": count(tensors, r"encoder\.down\.0\.block\.(\d+)\."),
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
        "scaling_factor": SCALE,
    }


def text_config(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Of CLIPTextModel."""
    sizes = {key.removeprefix("text_model."): value.shape for key, value in tensors.items()}
    vocabulary, width = sizes["embeddings.token_embedding.weight"]
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": sizes["encoder.layers.0.mlp.fc1.weight"][0],
        "num_hidden_layers": count(sizes, r"encoder\.layers\.(\d+)\."),
        "num_attention_heads": max(1, width // HEAD_WIDTH),
        "max_position_embeddings": sizes["embeddings.position_embedding.weight"][0],
        "hidden_act": "quick_gelu",
        "bos_token_id": 0,
        "eos_token_id": 2,  # as the published settings have it; it matters to pooled states only
        "pad_token_id": 1,
    }


def count(keys: Iterable[str], pattern: str) -> int:
    """How many numbers the keys have in the place of the pattern's group."""
    return len({found[1] for key in keys if (found := re.match(pattern, key))})
