"""A Wan model from a local folder in the diffusers layout, without any network and without guesses.

Every weight must be there and fit: nothing is left at random.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...checkpoints import load_strict
from ...errors import A2VError, CheckpointError
from ..contract import PARTS, BackboneSpec, Part
from ..diffusers_folder import DIFFUSERS_STEM, built_diffusers, check_folder, read_json, read_weights
from ..dtypes import DTYPES, FP8
from .backbone import WanBackbone
from .text_encoder import load_text

FAMILY = "Wan"
MODELS = "use Wan 2.1 or 2.2 text-to-video in the diffusers layout"
NATIVE_FRAMES, NATIVE_SIZE = 81, (832, 480)
TRAIN_TIMESTEPS = 1000
# By the channels of the latents, ComfyUI's names of them.
LATENT_FORMATS = {16: "Wan21", 48: "Wan22"}


def load_wan(folder: Path, dtype: str = "fp32", parts: Collection[Part] = PARTS) -> WanBackbone:
    """See `backbones.load_t2v`. A2VError for fp8."""
    check_folder(folder)
    if dtype == FP8:
        raise A2VError(f"{FAMILY} cannot be stored in fp8 here: choose bf16")
    index = read_json(folder / "model_index.json")
    places = ["transformer", *(["transformer_2"] if "boundary_ratio" in index and _has_second(index) else [])]
    denoisers = [built_diffusers(folder / place, "WanTransformer3DModel", MODELS) for place in places]
    vae = built_diffusers(folder / "vae", "AutoencoderKLWan", MODELS)
    spec = spec_of(folder, denoisers[0], vae)
    number = DTYPES[dtype]
    if "denoiser" in parts:
        for place, denoiser in zip(places, denoisers, strict=True):
            fill_denoiser(denoiser, *read_weights(folder / place, (DIFFUSERS_STEM,)), number)
    if "vae" in parts:
        fill(vae, *read_weights(folder / "vae", (DIFFUSERS_STEM,)), number)
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
    for name in ("in_channels", "out_channels"):
        if denoiser.config[name] != channels:
            raise CheckpointError(
                f"{folder}: {name} is {denoiser.config[name]} in transformer, but the vae has {channels} "
                f"channels; image-to-video models are not supported: {MODELS}"
            )
    return BackboneSpec(
        family=FAMILY,
        latent_channels=channels,
        space=space,
        size_multiple=space * patch,
        native_frames=NATIVE_FRAMES,
        native_size=NATIVE_SIZE,
        token_width=None,
        latent_format=LATENT_FORMATS.get(channels, ""),
        time=vae.config.scale_factor_temporal,
        first_alone=True,
    )


def fill_denoiser(denoiser: Any, tensors: Mapping[str, Tensor], path: Path, dtype: torch.dtype) -> None:
    """Give a denoiser its weights, which were read from `path`, and what is computed and in no file."""
    from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed

    fill(denoiser, tensors, path, dtype, denoiser._keep_in_fp32_modules)
    config = denoiser.config
    denoiser.rope = WanRotaryPosEmbed(config.attention_head_dim, config.patch_size, config.rope_max_seq_len)


def fill(
    module: Any,
    tensors: Mapping[str, Tensor],
    path: Path,
    dtype: torch.dtype,
    in_fp32: Collection[str] = (),
) -> None:
    """Give a network its weights. Those whose names have one of `in_fp32` stay float32, as in diffusers."""
    nn.Module.to(module, dtype)  # past diffusers' own, which warns of nothing
    for name, parameter in module.named_parameters():
        if any(kept in name.split(".") for kept in in_fp32):
            parameter.data = parameter.data.float()
    load_strict(module, tensors, path, FAMILY)
    module.eval().requires_grad_(False)


def _shift(config: Mapping[str, Any]) -> float:
    """The shift of the flow schedule, by whatever name the solver of the folder has for it."""
    return float(config.get("flow_shift") or config.get("shift") or 1.0)
