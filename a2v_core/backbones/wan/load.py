"""A Wan model from a local folder in the diffusers layout, without any network and without guesses.

Every weight must be there and fit: nothing is left at random.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...checkpoints import load_strict
from ...errors import A2VError, CheckpointError
from ...layers import fp8_tensors
from ..contract import PARTS, BackboneSpec, Part
from ..diffusers_folder import DIFFUSERS_STEM, built_diffusers, check_folder, read_json, read_weights
from ..dit import family_of
from ..dtypes import DTYPES, FP8
from .backbone import WanBackbone
from .patches import in_fp32, store_fp8
from .text_encoder import load_text

FAMILY = "Wan"
MODELS = "use Wan 2.1 or 2.2 text-to-video in the diffusers layout"
TRAIN_TIMESTEPS = 1000


def load_wan(folder: Path, dtype: str = "fp32", parts: Collection[Part] = PARTS) -> WanBackbone:
    """See `backbones.load_t2v`."""
    check_folder(folder)
    index = read_json(folder / "model_index.json")
    places = ["transformer", *(["transformer_2"] if "boundary_ratio" in index and _has_second(index) else [])]
    denoisers = [built_diffusers(folder / place, "WanTransformer3DModel", MODELS) for place in places]
    vae = built_diffusers(folder / "vae", "AutoencoderKLWan", MODELS)
    spec = spec_of(folder, denoisers[0], vae)
    number = DTYPES[dtype]
    if "denoiser" in parts:
        for place, denoiser in zip(places, denoisers, strict=True):
            fill_denoiser(denoiser, *read_weights(folder / place, (DIFFUSERS_STEM,)), dtype)
    if "vae" in parts:
        fill_vae(vae, *read_weights(folder / "vae", (DIFFUSERS_STEM,)), number)
    width = denoisers[0].config.text_dim
    text_encoder, tokenizer = load_text(folder, width, number) if "text" in parts else (None, None)
    return WanBackbone(
        tuple(denoisers) if "denoiser" in parts else (),
        vae if "vae" in parts else None,
        text_encoder,
        tokenizer,
        spec,
        _shift(read_json(folder / "scheduler" / "scheduler_config.json")),
        TRAIN_TIMESTEPS * float(index.get("boundary_ratio") or 0),
    )


def _has_second(index: Mapping[str, Any]) -> bool:
    """Whether a model has a denoiser of its own for the less noisy timesteps, as Wan 2.2 14B."""
    second = index.get("transformer_2")
    return isinstance(second, list) and second[-1] is not None


def spec_of(folder: Path, denoiser: Any, vae: Any) -> BackboneSpec:
    """The facts of a model, from the configs of its denoiser and VAE."""
    channels, space = vae.config.z_dim, vae.config.scale_factor_spatial
    patch = denoiser.config.patch_size[-1]
    try:
        known = family_of(FAMILY, channels).spec
    except A2VError as error:
        raise CheckpointError(f"{folder}: {error}; {MODELS}") from error
    for name in ("in_channels", "out_channels"):
        if denoiser.config[name] != channels:
            raise CheckpointError(
                f"{folder}: {name} is {denoiser.config[name]} in transformer, but the vae has {channels} "
                f"channels; image-to-video models are not supported: {MODELS}"
            )
    return replace(
        known, space=space, size_multiple=space * patch, time=int(vae.config.scale_factor_temporal)
    )


def fill_denoiser(denoiser: Any, tensors: Mapping[str, Tensor], path: Path, dtype: str) -> None:
    """Give a denoiser its weights, which were read from `path`, and its rotary embedding, which is computed
    and in no file."""
    from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed

    nn.Module.to(denoiser, DTYPES[dtype])  # past diffusers' own, which warns of nothing
    for name, parameter in denoiser.named_parameters():
        if not set(in_fp32(denoiser)).isdisjoint(name.split(".")):
            parameter.data = parameter.data.float()
    if dtype == FP8:
        store_fp8(denoiser)
        tensors = fp8_tensors(denoiser, tensors)
    load_strict(denoiser, tensors, path, FAMILY)
    denoiser.eval().requires_grad_(False)
    config = denoiser.config
    denoiser.rope = WanRotaryPosEmbed(config.attention_head_dim, config.patch_size, config.rope_max_seq_len)


def fill_vae(vae: Any, tensors: Mapping[str, Tensor], path: Path, dtype: torch.dtype) -> None:
    """Give a VAE its weights, which were read from `path`."""
    load_strict(nn.Module.to(vae, dtype), tensors, path, FAMILY)
    vae.eval().requires_grad_(False)


def _shift(config: Mapping[str, Any]) -> float:
    """The shift of the flow schedule, by whatever name the solver of the folder has for it."""
    return float(config.get("flow_shift") or config.get("shift") or 1.0)
