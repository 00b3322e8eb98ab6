"""Copies the trained Wan into the pack: transformer and VAE as ComfyUI reads them, and the audio adapter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as nnf
from torch import Tensor

from a2v_core.backbones.dit import load_adapter, save_adapter
from a2v_core.backbones.wan import CORE_WIDTH, core_transformer, core_vae
from a2v_core.checkpoints import write_safetensors
from a2v_core.demo import DEMO

NAME = "a2v_demo_wan"
_TEXT_IN = "condition_embedder.text_embedder.linear_1.weight"


class Installed(NamedTuple):
    """The three files, each in a folder that is called as ComfyUI's for such files."""

    transformer: Path
    vae: Path
    adapter: Path


def installed(folder: Path) -> Installed:
    """Where they are below the demo's folder."""
    return Installed(
        folder / "diffusion_models" / f"{NAME}.safetensors",
        folder / "vae" / f"{NAME}_vae.safetensors",
        folder / "a2v_audio_adapters" / f"{NAME}_adapter.safetensors",
    )


def wide_text(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a denoiser for text of Wan's width, under diffusers' names: what is behind its own width is
    multiplied with zero.
    """
    narrow = tensors[_TEXT_IN]
    return {**tensors, _TEXT_IN: nnf.pad(narrow, (0, CORE_WIDTH - narrow.shape[1]))}


def train(work: Path, target: Path = DEMO / "wan") -> None:
    """Named like the other stages: writes the three files into `target`."""
    from diffusers import AutoencoderKLWan, WanTransformer3DModel

    denoiser = WanTransformer3DModel.from_pretrained(work / "transformer")
    vae = AutoencoderKLWan.from_pretrained(work / "vae")
    files = installed(target)
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
    write(files.transformer, core_transformer(wide_text(denoiser.state_dict())))
    write(files.vae, core_vae(vae.state_dict()))
    save_adapter(files.adapter, load_adapter(work / "adapter.safetensors").half())


def write(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Weights in half precision."""
    halves = {name: value.to(torch.float16) for name, value in tensors.items()}
    write_safetensors(path, halves, {"format": "pt"})
