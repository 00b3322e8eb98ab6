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
from ...files import utf8_path
from ..contract import PARTS, BackboneSpec, Part
from ..diffusers_folder import DIFFUSERS_STEM, built, built_diffusers, check_folder, read_json, read_weights
from ..dtypes import DTYPES, FP8
from .backbone import WanBackbone

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
    spec = _spec(folder, denoisers[0], vae)
    number = DTYPES[dtype]
    if "denoiser" in parts:
        for place, denoiser in zip(places, denoisers, strict=True):
            _fill(denoiser, folder / place, number, denoiser._keep_in_fp32_modules)
            _with_rope(denoiser)
    if "vae" in parts:
        _fill(vae, folder / "vae", number)
    text = "text" in parts
    return WanBackbone(
        tuple(denoisers) if "denoiser" in parts else (),
        vae if "vae" in parts else None,
        _text_encoder(folder / "text_encoder", number) if text else None,
        _tokenizer(folder / "tokenizer") if text else None,
        spec,
        _shift(read_json(folder / "scheduler" / "scheduler_config.json")),
        TRAIN_TIMESTEPS * float(index.get("boundary_ratio") or 0),
    )


def _has_second(index: Mapping[str, Any]) -> bool:
    """Whether a model has a denoiser of its own for the less noisy timesteps, as Wan 2.2 14B."""
    second = index.get("transformer_2")
    return isinstance(second, list) and second[-1] is not None


def _spec(folder: Path, denoiser: Any, vae: Any) -> BackboneSpec:
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


def _fill(module: Any, folder: Path, dtype: torch.dtype, in_fp32: Collection[str] = ()) -> None:
    """Give a network its weights. Those whose names have one of `in_fp32` stay float32, as in diffusers."""
    tensors, path = read_weights(folder, (DIFFUSERS_STEM,))
    nn.Module.to(module, dtype)  # past diffusers' own, which warns of nothing
    for name, parameter in module.named_parameters():
        if any(kept in name.split(".") for kept in in_fp32):
            parameter.data = parameter.data.float()
    load_strict(module, tensors, path, FAMILY)
    module.eval().requires_grad_(False)


def _with_rope(denoiser: Any) -> None:
    """Give a filled denoiser its rotary embedding, which is computed and in no file."""
    from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed

    config = denoiser.config
    denoiser.rope = WanRotaryPosEmbed(config.attention_head_dim, config.patch_size, config.rope_max_seq_len)


def _text_encoder(folder: Path, dtype: torch.dtype) -> Any:
    from transformers import UMT5Config, UMT5EncoderModel

    config = read_json(folder / "config.json")
    kind = config.get("model_type", "umt5")
    if kind != "umt5":
        raise CheckpointError(f"{folder}: is a {kind}, expected an umt5 text encoder; {MODELS}")
    encoder = built(folder / "config.json", lambda: UMT5EncoderModel(UMT5Config.from_dict(config)))
    tensors, path = read_weights(folder, ("model", "pytorch_model"))
    load_strict(encoder.to(dtype), _both_tables(tensors), path, "UMT5 text encoder")
    return encoder.eval().requires_grad_(False)


def _both_tables(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The table of words under both of its names, of which files have one."""
    names = ("shared.weight", "encoder.embed_tokens.weight")
    table = next((tensors[name] for name in names if name in tensors), None)
    return dict(tensors) if table is None else {**tensors, **dict.fromkeys(names, table)}


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        with utf8_path(folder) as readable:
            return AutoTokenizer.from_pretrained(str(readable), local_files_only=True)
    except Exception as error:  # every kind of damage surfaces as another type, even a bare Exception
        raise CheckpointError(
            f"{folder}: the tokenizer cannot be read ({error}); download it again"
        ) from error


def _shift(config: Mapping[str, Any]) -> float:
    """The shift of the flow schedule, by whatever name the solver of the folder has for it."""
    return float(config.get("flow_shift") or config.get("shift") or 1.0)
