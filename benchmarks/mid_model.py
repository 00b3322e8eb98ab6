"""Random models of a realistic size, laid out like the published files: `python -m benchmarks.mid_model DIR`.

BEATs and AudioMapper have the published sizes; the text-to-video model is a small sibling of ModelScope 1.7b
whose text encoder has the published width, so that the mapper fits. Speed and memory do not depend on what
the weights say; the pictures are noise.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from a2v_core.audio import BEATs, BEATsConfig
from a2v_core.tokens import AudioMapper, MapperConfig, export_learned_embeds
from training.demo_world.captioned import SCHEDULER
from training.demo_world.t2v import INDEX
from training.demo_world.tokenizer import save_tokenizer

from .clip import ModelFiles

# BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2
BEATS: dict[str, object] = {
    "input_patch_size": 16,
    "embed_dim": 512,
    "conv_bias": False,
    "encoder_layers": 12,
    "encoder_embed_dim": 768,
    "encoder_ffn_embed_dim": 3072,
    "encoder_attention_heads": 12,
    "activation_fn": "gelu",
    "layer_norm_first": False,
    "deep_norm": True,
    "conv_pos": 128,
    "conv_pos_groups": 16,
    "relative_position_embedding": True,
    "num_buckets": 320,
    "max_distance": 800,
    "gru_rel_pos": True,
    "finetuned_model": True,
    "predictor_class": 527,
}
# ModelScope 1.7b: (320, 640, 1280, 1280), head size 64, sample size 32
UNET: dict[str, Any] = {
    "sample_size": 16,
    "block_out_channels": (80, 160, 320, 320),
    "layers_per_block": 2,
    "cross_attention_dim": 1024,
    "attention_head_dim": 40,
    "norm_num_groups": 16,
}
# Stable Diffusion 1.x: (128, 256, 512, 512)
VAE: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (64, 128, 256, 256),
    "layers_per_block": 2,
    "latent_channels": 4,
    "norm_num_groups": 32,
    "sample_size": 128,
    "scaling_factor": 0.18215,
}
# ModelScope 1.7b: 23 layers
TEXT_ENCODER: dict[str, Any] = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 12,
    "num_attention_heads": 16,
    "hidden_act": "gelu",
    "max_position_embeddings": 77,
}


@dataclass(frozen=True)
class Sizes:
    """Settings of the networks; the defaults are the mid-size model."""

    beats: dict[str, object] = field(default_factory=lambda: BEATS)
    mapper: MapperConfig = field(default_factory=MapperConfig)
    unet: dict[str, Any] = field(default_factory=lambda: UNET)
    vae: dict[str, Any] = field(default_factory=lambda: VAE)
    text_encoder: dict[str, Any] = field(default_factory=lambda: TEXT_ENCODER)


MID = Sizes()


def write_models(
    folder: Path,
    sizes: Sizes = MID,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> ModelFiles:
    """Write a BEATs `.pt`, a `learned_embeds.pth` and a diffusers folder into `folder`, which is made.

    One network after the other, so that at most one is in memory. Those of the diffusers folder are made on
    `device`, where random numbers may be faster, and written in `dtype`.
    """
    from diffusers import AutoencoderKL, UNet3DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    files = model_files(folder)
    files.t2v.mkdir(parents=True)
    torch.manual_seed(0)
    torch.save(
        {"cfg": sizes.beats, "model": BEATs(BEATsConfig.from_cfg(sizes.beats)).state_dict()}, files.beats
    )
    export_learned_embeds(files.mapper, AudioMapper(sizes.mapper))
    tokenizer = save_tokenizer(files.t2v / "tokenizer")
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **sizes.text_encoder,
    )
    networks: dict[str, Callable[[], Any]] = {
        "text_encoder": lambda: CLIPTextModel(text),
        "vae": lambda: AutoencoderKL(**sizes.vae),
        "unet": lambda: UNet3DConditionModel(**sizes.unet),
    }
    for name, make in networks.items():
        with torch.device(device):
            network = make()
        nn.Module.to(network, dtype)  # past diffusers' own, which warns of nothing
        network.save_pretrained(files.t2v / name)
    (files.t2v / "scheduler").mkdir()
    (files.t2v / "scheduler" / "scheduler_config.json").write_text(json.dumps(SCHEDULER))
    (files.t2v / "model_index.json").write_text(json.dumps(INDEX))
    return files


def model_files(folder: Path) -> ModelFiles:
    """Where `write_models` puts what."""
    return ModelFiles(folder / "beats.pt", folder / "learned_embeds.pth", folder / "t2v")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mid_model", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="new folder, 1.6 GB")
    folder = parser.parse_args().folder
    from transformers.utils import logging

    logging.disable_progress_bar()
    write_models(folder)


if __name__ == "__main__":
    main()
