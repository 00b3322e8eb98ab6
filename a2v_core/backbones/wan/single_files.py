"""A Wan model from single files in the published layout, which is what people have for ComfyUI.

Sizes are read from the weights, as ComfyUI does: heads are 128 wide, or one head is all of the width below
256. Every weight must be there and fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...checkpoints import read_checkpoint
from ...errors import A2VError, CheckpointError
from ..contract import PARTS, Part
from ..diffusers_folder import built
from ..dtypes import DTYPES
from .backbone import WanBackbone
from .core_layout import core_transformer, core_vae
from .load import FAMILY, fill_denoiser, fill_vae, spec_of
from .text_encoder import load_text

HEAD = 128  # width of an attention head
SHIFT = 8.0  # of the flow schedule, where nothing else is asked for: ComfyUI's
_PREFIX = "model.diffusion_model."


class WanFiles(NamedTuple):
    """Where the parts of a model are.

    transformer, vae: files in the published layout. text: a folder with `text_encoder` and `tokenizer` as in
    the diffusers layout.
    """

    transformer: Path
    vae: Path
    text: Path


def load_wan_files(
    files: WanFiles, dtype: str = "fp32", parts: Collection[Part] = PARTS, shift: float = SHIFT
) -> WanBackbone:
    """The text-to-video model of these files, on the CPU.

    `dtype` and `parts` as of `backbones.load_t2v`; shift: of the flow schedule. CheckpointError names the
    file that is missing, broken, or of another kind.
    """
    if dtype not in DTYPES:
        raise A2VError(f"{FAMILY} cannot be loaded in {dtype!r}: choose one of {', '.join(DTYPES)}")
    denoiser, denoiser_tensors = _read(files.transformer, _transformer, core_transformer, "transformer")
    vae, vae_tensors = _read(files.vae, _vae, core_vae, "VAE")
    spec = spec_of(files.transformer, denoiser, vae)
    number = DTYPES[dtype]
    if "denoiser" in parts:
        fill_denoiser(denoiser, denoiser_tensors, files.transformer, dtype)
    if "vae" in parts:
        fill_vae(vae, vae_tensors, files.vae, number)
    width = denoiser.config.text_dim
    text_encoder, tokenizer = load_text(files.text, width, number) if "text" in parts else (None, None)
    return WanBackbone(
        (denoiser,) if "denoiser" in parts else (),
        vae if "vae" in parts else None,
        text_encoder,
        tokenizer,
        spec,
        shift,
    )


def _read(
    path: Path,
    build: Callable[[Mapping[str, Tensor]], Any],
    to_core: Callable[[Mapping[str, Tensor]], dict[str, Tensor]],
    kind: str,
) -> tuple[Any, dict[str, Tensor]]:
    """The network of a file without memory for its weights, and its weights under diffusers' names.

    Weights that the network does not have keep theirs.
    """
    stored = read_checkpoint(path).tensors
    tensors = {name.removeprefix(_PREFIX): value for name, value in stored.items()}
    try:
        with torch.device("meta"):
            sizes = {name: value.to("meta") for name, value in tensors.items()}
            network = built(path, lambda: build(sizes))
    except CheckpointError as error:
        raise CheckpointError(
            f"{path}: is not a {kind} of {FAMILY} 2.1 in the published layout ({error.__cause__}); use the "
            "file that ComfyUI loads as text-to-video model or VAE"
        ) from error
    names = {core: own for own, core in zip(network.state_dict(), to_core(network.state_dict()), strict=True)}
    return network, {names.get(name, name): value for name, value in tensors.items()}


def _transformer(sizes: Mapping[str, Tensor]) -> Any:
    from diffusers import WanTransformer3DModel

    width = sizes["head.modulation"].shape[-1]
    heads = max(1, width // HEAD)
    channels, patch = sizes["patch_embedding.weight"].shape[1], sizes["patch_embedding.weight"].shape[2:]
    return WanTransformer3DModel(
        patch_size=tuple(patch),
        num_attention_heads=heads,
        attention_head_dim=width // heads,
        in_channels=channels,
        out_channels=sizes["head.head.weight"].shape[0] // patch.numel(),
        text_dim=sizes["text_embedding.0.weight"].shape[1],
        freq_dim=sizes["time_embedding.0.weight"].shape[1],
        ffn_dim=sizes["blocks.0.ffn.0.weight"].shape[0],
        num_layers=1 + max(int(found[1]) for name in sizes if (found := re.match(r"blocks\.(\d+)\.", name))),
        cross_attn_norm="blocks.0.norm3.weight" in sizes,
    )


def _vae(sizes: Mapping[str, Tensor]) -> Any:
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(
        base_dim=sizes["decoder.head.0.gamma"].shape[0], z_dim=sizes["conv2.weight"].shape[0]
    )
