"""The parts of a text-to-video model from a local folder in the diffusers layout, without any network.

Every weight must be there and fit: nothing is left at random, and nothing is guessed. Networks are built
without memory first, so that what is wrong with the small files shows before gigabytes are read. Old files
load as they were published (.bin files, old names of the VAE's attention, `text_model.` in front of CLIP's).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ...checkpoints import load_strict
from ...errors import CheckpointError
from ...files import utf8_path
from ...layers import fp8_tensors
from ...places import TEXT_ENCODER, UNET, VAE
from ...prompts import text_body
from .. import diffusers_folder
from ..contract import Part
from ..diffusers_folder import DIFFUSERS_STEM, built, read_json, read_weights
from ..dtypes import DTYPES, FP8
from .patches import store_fp8

MODELS = "use a model of that kind: ModelScope text-to-video 1.7b, Zeroscope v2, AnimateDiff"

_OLD_ATTENTION = re.compile(r"(\.attentions\.\d+\.)(query|key|value|proj_attn)\.(weight|bias)$")
_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_NOISE_PREDICTIONS = ("epsilon", "v_prediction", "sample")


class Networks(NamedTuple):
    """What a folder holds, in the order of `CLIPUNet`; None for what is not loaded."""

    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    scheduler_config: Mapping[str, Any]


def built_networks(folder: Path, unet: Any) -> Networks:
    """The networks of a folder, without memory for their weights, beside a UNet that was built like this.

    CheckpointError when a part is missing, broken or of another kind, or when they are not of one model.
    """
    schedule = _scheduler_config(folder / "scheduler" / "scheduler_config.json")
    tokenizer = load_tokenizer(folder / "tokenizer")
    settings = folder / "text_encoder" / "config.json"
    text_encoder = built_text_encoder(settings, read_json(settings))
    vae = built_diffusers(folder / "vae", "AutoencoderKL")
    return checked(folder, Networks(unet, vae, text_encoder, tokenizer, schedule))


def filled_networks(networks: Networks, folder: Path, dtype: str, parts: Collection[Part]) -> Networks:
    """The same with the weights of text encoder and VAE, and None for what is not among `parts`."""
    _, vae, text_encoder, _, _ = networks
    if "text" in parts:
        weights = read_weights(folder / "text_encoder", ("model", "pytorch_model"))
        fill_text_encoder(text_encoder, *weights, DTYPES[dtype])
    if "vae" in parts:
        fill_diffusers(vae, folder / "vae", VAE, DTYPES[dtype])
    return only(parts, networks)


def only(parts: Collection[Part], networks: Networks) -> Networks:
    """The same with None for what is not among `parts`."""
    return networks._replace(
        unet=networks.unet if "denoiser" in parts else None,
        vae=networks.vae if "vae" in parts else None,
        text_encoder=networks.text_encoder if "text" in parts else None,
    )


def load_text_encoder(folder: Path, dtype: torch.dtype) -> Any:
    """A CLIPTextModel with its weights. CheckpointError when its folder cannot be read."""
    settings = folder / "config.json"
    text_encoder = built_text_encoder(settings, read_json(settings))
    fill_text_encoder(text_encoder, *read_weights(folder, ("model", "pytorch_model")), dtype)
    return text_encoder


def built_diffusers(folder: Path, class_name: str) -> Any:
    """See `diffusers_folder.built_diffusers`."""
    return diffusers_folder.built_diffusers(folder, class_name, MODELS)


def fill_diffusers(module: Any, folder: Path, kind: str, dtype: torch.dtype) -> None:
    """Give a built network of diffusers the weights in its folder. CheckpointError unless they fit."""
    fill_network(module, *read_weights(folder, (DIFFUSERS_STEM,)), kind, dtype)


def fill_network(
    module: Any, tensors: Mapping[str, Tensor], path: Path, kind: str, dtype: torch.dtype
) -> None:
    """Give a built network of diffusers its weights, which were read from `path`."""
    nn.Module.to(module, dtype)  # past diffusers' own, which warns of nothing
    _fill(module, _new_attention_names(tensors), path, kind)


def fill_unet(unet: Any, tensors: Mapping[str, Tensor], path: Path, dtype: str) -> None:
    """Give a built UNet its weights, which were read from `path`; "fp8": rounded to 8 bits."""
    nn.Module.to(unet, DTYPES[dtype])
    tensors = _new_attention_names(tensors)
    if dtype == FP8:
        store_fp8(unet)
        tensors = fp8_tensors(unet, tensors)
    _fill(unet, tensors, path, UNET)


def built_text_encoder(path: Path, config: Mapping[str, Any]) -> Any:
    """A CLIP text encoder by its settings, which were read from `path`, without memory for its weights."""
    from transformers import CLIPTextConfig, CLIPTextModel

    model_type = config.get("model_type", "clip_text_model")
    if model_type != "clip_text_model":
        raise CheckpointError(f"{path.parent}: is a {model_type}, expected a clip_text_model; {MODELS}")
    return built(path, lambda: CLIPTextModel(CLIPTextConfig.from_dict(dict(config))))


def fill_text_encoder(module: Any, tensors: Mapping[str, Tensor], path: Path, dtype: torch.dtype) -> None:
    """Give a built CLIP text encoder its weights, which were read from `path`."""
    module.to(dtype)
    bare = {
        key.removeprefix("text_model."): value
        for key, value in tensors.items()
        if not key.endswith(".position_ids")  # a constant that old files store
    }
    # transformers 4 keeps the model under this prefix, transformers 5 does not.
    prefix = "text_model." if hasattr(module, "text_model") else ""
    _fill(module, {prefix + key: value for key, value in bare.items()}, path, TEXT_ENCODER)
    embeddings = text_body(module).embeddings
    embeddings.position_ids = torch.arange(embeddings.position_embedding.num_embeddings)[None]


def load_tokenizer(folder: Path) -> Any:
    """The CLIPTokenizer in a folder. CheckpointError when it is not there or broken."""
    from transformers import CLIPTokenizer

    if not (folder / "tokenizer.json").is_file():
        for name in ("vocab.json", "merges.txt"):
            if not (folder / name).is_file():
                raise CheckpointError(f"{folder / name}: no such file; download the tokenizer folder again")
    try:
        with utf8_path(folder) as readable:
            tokenizer = CLIPTokenizer.from_pretrained(str(readable), local_files_only=True)
    except Exception as error:  # every kind of damage surfaces as another type, even a bare Exception
        raise CheckpointError(
            f"{folder}: the tokenizer cannot be read ({error}); download it again"
        ) from error
    marks = folder / "special_tokens_map.json"
    if marks.is_file() and (padding := read_json(marks).get("pad_token")):
        # The published folders name two padding tokens; the models were trained with this file's.
        tokenizer.pad_token = padding["content"] if isinstance(padding, dict) else padding
    return tokenizer


def _scheduler_config(path: Path) -> dict[str, Any]:
    config = read_json(path)
    kind = config.get("prediction_type", "epsilon")
    if "FlowMatch" in str(config.get("_class_name")) or kind not in _NOISE_PREDICTIONS:
        raise CheckpointError(
            f"{path}: is for a {config.get('_class_name')} that predicts {kind!r}, expected a model that "
            f"predicts one of {', '.join(_NOISE_PREDICTIONS)}; {MODELS}"
        )
    return {key: value for key, value in config.items() if not key.startswith("_")}


def _fill(module: Any, tensors: Mapping[str, Tensor], path: Path, kind: str) -> None:
    load_strict(module, tensors, path, kind)
    module.eval().requires_grad_(False)


def _new_attention_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names of attention weights from before diffusers 0.15, as in the published VAE files, made current."""
    return {
        _OLD_ATTENTION.sub(lambda m: f"{m[1]}{_ATTENTION[m[2]]}.{m[3]}", key): value
        for key, value in tensors.items()
    }


def checked(folder: Path, networks: Networks) -> Networks:
    """The same networks. CheckpointError when those of a folder are not of one model."""
    unet, vae, text_encoder, tokenizer, _ = networks
    table = text_encoder.get_input_embeddings()
    channels = vae.config.latent_channels
    wanted = {
        "text width": (unet.config.cross_attention_dim, "unet", table.embedding_dim, "text_encoder"),
        "latent channels": (unet.config.in_channels, "unet", channels, "vae"),
        "predicted channels": (unet.config.out_channels, "unet", channels, "vae"),
    }
    for what, (one, first, other, second) in wanted.items():
        if one != other:
            raise CheckpointError(
                f"{folder}: {what} is {one} in {first} but {other} in {second}; the folders are of different "
                "models, download the whole model again"
            )
    if len(tokenizer) > table.num_embeddings:
        raise CheckpointError(
            f"{folder}: the tokenizer has {len(tokenizer)} words, the text_encoder only "
            f"{table.num_embeddings}; the folders are of different models, download the whole model again"
        )
    return networks
