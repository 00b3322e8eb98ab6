"""Stable Diffusion 1.5 in its original layout at a tiny size: diffusers' names turned into those published.

Heads, groups of normalisation and the activation of the text encoder are those of Stable Diffusion 1.5, since
they do not show in weights.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.tiny_motion import filled
from tests.tiny_t2v import SCHEDULER, write_json, write_tokenizer

CHANNELS, TEXT_WIDTH, POSITIONS = (32, 64), 64, 24
SCHEDULE_TABLES = ("alphas_cumprod", "betas", "model_ema.decay")  # what checkpoints hold besides networks

# The text encoder of Stable Diffusion 1.x (CLIP ViT-L), where transformers' defaults are others.
SIZES_OF_CLIP = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
}

_MOTION = {
    ".transformer_blocks.": ".temporal_transformer.transformer_blocks.",
    ".attn1.": ".attention_blocks.0.",
    ".attn2.": ".attention_blocks.1.",
    ".norm1.": ".norms.0.",
    ".norm2.": ".norms.1.",
    ".norm3.": ".ff_norm.",
    ".norm.": ".temporal_transformer.norm.",
    ".proj_in.": ".temporal_transformer.proj_in.",
    ".proj_out.": ".temporal_transformer.proj_out.",
}
_RESNET = {
    "norm1.": "in_layers.0.",
    "conv1.": "in_layers.2.",
    "time_emb_proj.": "emb_layers.1.",
    "norm2.": "out_layers.0.",
    "conv2.": "out_layers.3.",
    "conv_shortcut.": "skip_connection.",
}
_ENDS = {
    "time_embedding.linear_1.": "time_embed.0.",
    "time_embedding.linear_2.": "time_embed.2.",
    "conv_in.": "input_blocks.0.0.",
    "conv_norm_out.": "out.0.",
    "conv_out.": "out.2.",
}
_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def networks(vocab_size: int) -> tuple[Any, Any, Any]:
    """UNet, VAE and text encoder with recipe weights."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    unet = UNet2DConditionModel(
        sample_size=64,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=CHANNELS,
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
    )
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32, 32, 64, 64),
        layers_per_block=1,
    )
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocab_size,
            hidden_size=TEXT_WIDTH,
            intermediate_size=2 * TEXT_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=1,
        )
    )
    return filled(unet), filled(vae), filled(text)


def motion_adapter() -> Any:
    from diffusers import MotionAdapter

    made = MotionAdapter(
        block_out_channels=CHANNELS, motion_layers_per_block=1, motion_max_seq_length=POSITIONS
    )
    return filled(made)


def make_twins(root: Path) -> tuple[Path, Path]:
    """AnimateDiff as a diffusers folder, and as two files with a tokenizer beside them: both folders."""
    one, two = root / "folder", root / "files"
    vocab_size = write_tokenizer(one / "tokenizer")
    parts = dict(zip(("unet", "vae", "text_encoder"), networks(vocab_size), strict=True))
    adapter = motion_adapter()
    for name, network in {**parts, "motion_adapter": adapter}.items():
        network.save_pretrained(one / name)
    write_json(one / "scheduler" / "scheduler_config.json", SCHEDULER)
    write_json(one / "model_index.json", {"_class_name": "AnimateDiffPipeline"})
    shutil.copytree(one / "tokenizer", two / "tokenizer")
    save_file(checkpoint(**parts), two / "any name.safetensors")
    torch.save(published(adapter.state_dict()), two / "mm_sd_v15_v2.ckpt")
    return one, two


def checkpoint(unet: Any, vae: Any, text_encoder: Any) -> dict[str, Tensor]:
    """The state dict of a checkpoint that holds these networks."""
    up = len(vae.config.block_out_channels) - 1
    found = {
        "model.diffusion_model.": unet_names(unet.state_dict(), unet.config.layers_per_block),
        "first_stage_model.": vae_names(vae.state_dict(), up),
        "cond_stage_model.transformer.text_model.": {
            key.removeprefix("text_model."): value for key, value in text_encoder.state_dict().items()
        },
    }
    made = {prefix + key: value for prefix, part in found.items() for key, value in part.items()}
    made["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    tables = {name: torch.zeros(3) for name in SCHEDULE_TABLES}
    return {key: value.contiguous() for key, value in (made | tables).items()}


def published(adapter: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a MotionAdapter under the names of the published files."""
    made = {}
    for key, value in adapter.items():
        for new, old in _MOTION.items():
            key = key.replace(new, old)
        for number in (0, 1):
            made[key.replace(".pos_embed.", f".attention_blocks.{number}.pos_encoder.")] = value.clone()
    return made


def unet_names(tensors: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """The weights of a UNet2DConditionModel under the published names."""
    return {_unet_name(key, layers, tensors): value for key, value in tensors.items()}


def _unet_name(key: str, layers: int, tensors: Mapping[str, Tensor]) -> str:
    for new, old in _ENDS.items():
        if key.startswith(new):
            return old + key.removeprefix(new)
    if found := re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", key):
        kind, number, rest = found.groups()
        return f"middle_block.{2 * int(number) if kind == 'resnets' else 1}." + _renamed(kind, rest)
    found = re.match(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.*)", key)
    assert found is not None
    way, block, kind, number, rest = found.groups()
    place = int(block) * (layers + 1)
    if kind == "downsamplers":
        return f"input_blocks.{place + layers + 1}.0.op." + rest.removeprefix("conv.")
    if kind == "upsamplers":
        attends = f"up_blocks.{block}.attentions.0.proj_in.weight" in tensors
        return f"output_blocks.{place + layers}.{2 if attends else 1}.{rest}"
    layer = place + int(number)
    where = f"input_blocks.{layer + 1}" if way == "down" else f"output_blocks.{layer}"
    return f"{where}.{0 if kind == 'resnets' else 1}." + _renamed(kind, rest)


def _renamed(kind: str, rest: str) -> str:
    for new, old in _RESNET.items():
        if kind == "resnets" and rest.startswith(new):
            return old + rest.removeprefix(new)
    return rest


def vae_names(tensors: Mapping[str, Tensor], up: int) -> dict[str, Tensor]:
    """The weights of an AutoencoderKL under the published names; `up` is the number of its highest block."""
    made = {}
    for key, value in tensors.items():
        key = re.sub(r"down_blocks\.(\d)\.resnets\.", r"down.\1.block.", key)
        key = re.sub(r"up_blocks\.(\d)\.resnets\.", lambda m: f"up.{up - int(m[1])}.block.", key)
        key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0\.", r"down.\1.downsample.", key)
        key = re.sub(r"up_blocks\.(\d)\.upsamplers\.0\.", lambda m: f"up.{up - int(m[1])}.upsample.", key)
        key = re.sub(r"mid_block\.resnets\.(\d)\.", lambda m: f"mid.block_{int(m[1]) + 1}.", key)
        key = key.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        if found := re.match(r"(.*)mid_block\.attentions\.0\.(.*)\.(weight|bias)$", key):
            key = f"{found[1]}mid.attn_1.{_ATTENTION[found[2]]}.{found[3]}"
            value = value[:, :, None, None] if value.ndim == 2 else value
        made[key] = value
    return made
