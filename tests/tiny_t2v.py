"""A whole text-to-video model of 200 thousand weights, in a diffusers folder laid out like Zeroscope's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.golden_recipe import fill_module

TEXT_WIDTH = 32
LETTERS = "!abcdefghijklmnopqrstuvwxyz0123456789,.-<>'"
MERGES = ("a n", "o f</w>", "t h", "th e</w>", "i n", "o n</w>")
START, END = "<|startoftext|>", "<|endoftext|>"

SCHEDULER = {
    "_class_name": "DDIMScheduler",
    "_diffusers_version": "0.14.0",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "trained_betas": None,
}

INDEX = {
    "_class_name": "TextToVideoSDPipeline",
    "_diffusers_version": "0.14.0",
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet3DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def make_tiny_t2v(
    folder: Path,
    text_width: int = TEXT_WIDTH,
    weights: str = "safetensors",
    dtype: torch.dtype = torch.float32,
    scheduler: dict[str, Any] | None = None,
) -> Path:
    """Write the model folder with recipe weights and return it.

    Latents are 8 times smaller than pictures, as in the published models. `weights`: "safetensors" or "bin".
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "model_index.json", INDEX)
    write_json(folder / "scheduler" / "scheduler_config.json", {**SCHEDULER, **(scheduler or {})})
    vocab_size = write_tokenizer(folder / "tokenizer")
    _write_diffusers(folder / "unet", tiny_unet(text_width), weights, dtype)
    _write_diffusers(folder / "vae", tiny_vae(), weights, dtype)
    encoder = tiny_text_encoder(vocab_size, text_width)
    write_json(folder / "text_encoder" / "config.json", encoder.config.to_dict())
    # The published files carry the prefix of transformers 4, and position ids of transformers before 4.31.
    bare = {key.removeprefix("text_model."): value for key, value in encoder.state_dict().items()}
    tensors = {f"text_model.{key}": value.to(dtype) for key, value in fill_module(bare).items()}
    tensors["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    name = "model.safetensors" if weights == "safetensors" else "pytorch_model.bin"
    write_weights(folder / "text_encoder" / name, tensors)
    return folder


def tiny_unet(text_width: int = TEXT_WIDTH) -> Any:
    from diffusers import UNet3DConditionModel

    return UNet3DConditionModel(
        sample_size=8,
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        cross_attention_dim=text_width,
        attention_head_dim=4,
        norm_num_groups=4,
    )


def tiny_vae() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=0.18215,
        sample_size=64,
    )


def tiny_text_encoder(vocab_size: int, width: int = TEXT_WIDTH) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        vocab_size=vocab_size,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        hidden_act="gelu",
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=1,
        architectures=["CLIPTextModel"],
    )
    return CLIPTextModel(config).eval()


def write_tokenizer(folder: Path) -> int:
    """Write the files of a CLIP tokenizer of single letters and a few merges; returns the vocabulary size."""
    merged = ["".join(merge.split(" ")) for merge in MERGES]
    entries = [*LETTERS, *(letter + "</w>" for letter in LETTERS), *merged, START, END]
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "vocab.json", {entry: number for number, entry in enumerate(entries)})
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *MERGES]) + "\n")
    # As in the published folders: two files that disagree on the padding, of which "!" (id 0) is right.
    marks = {"bos_token": START, "eos_token": END, "unk_token": END}
    write_json(folder / "special_tokens_map.json", {**marks, "pad_token": "!"})
    settings = {**marks, "pad_token": END, "model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}
    write_json(folder / "tokenizer_config.json", settings)
    return len(entries)


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, default=str))


def write_weights(path: Path, tensors: dict[str, Tensor]) -> None:
    if path.suffix == ".bin":
        torch.save(tensors, path)
    else:
        save_file({key: value.contiguous() for key, value in tensors.items()}, path)


def _write_diffusers(folder: Path, module: Any, weights: str, dtype: torch.dtype) -> None:
    config = {key: value for key, value in module.config.items() if not key.startswith("_")}
    write_json(folder / "config.json", {"_class_name": type(module).__name__, **config})
    tensors = {key: value.to(dtype) for key, value in fill_module(module.state_dict()).items()}
    write_weights(folder / f"diffusion_pytorch_model.{weights}", tensors)
