"""A text-to-video model from a local folder in the diffusers layout, without any network and without guesses.

Every weight must be there and fit: nothing is left at random. The folders of ModelScope 1.7b and Zeroscope v2
load as they were published (.bin files, old names of the VAE's attention, `text_model.` in front of CLIP's).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...checkpoints import load_strict
from ...errors import A2VError, CheckpointError
from ...files import utf8_path
from ...layers import fp8_tensors, store_fp8
from ...places import TEXT_ENCODER, UNET, VAE
from ..diffusers_folder import DIFFUSERS_STEM, check_folder, read_json, read_weights
from .backbone import UNet3DBackbone
from .compiled import compile_blocks

FP8 = "fp8"
# What the parts compute in.
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16, FP8: torch.bfloat16}
MODELS = "use a model of that kind: ModelScope text-to-video 1.7b, Zeroscope v2"

_OLD_ATTENTION = re.compile(r"(\.attentions\.\d+\.)(query|key|value|proj_attn)\.(weight|bias)$")
_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_NOISE_PREDICTIONS = ("epsilon", "v_prediction", "sample")


def load_t2v(
    folder: str | Path, dtype: str = "fp32", with_vae: bool = True, compiled: bool = False
) -> UNet3DBackbone:
    """Load UNet, VAE, text encoder, tokenizer and noise schedule, on the CPU.

    `dtype` "fp32", "fp16" or "bf16", or "fp8": bfloat16 with a UNet whose weights are stored in 8 bits
    (`storage.store_fp8`), half the memory for some rounding.
    `with_vae` False leaves the VAE out, for work on latents alone (training from a cache).
    `compiled` lets the UNet's blocks run through torch.compile (`compiled.compile_blocks`): the first clip
    takes minutes.
    CheckpointError names the part or file that is missing, broken, of another kind, or of another model.
    """
    if dtype not in DTYPES:
        raise A2VError(f"Unknown dtype {dtype!r}: choose one of {', '.join(DTYPES)}")
    folder = Path(folder)
    check_folder(folder)
    # The small files first: what is wrong with them shows before gigabytes are read.
    schedule = _scheduler_config(folder / "scheduler" / "scheduler_config.json")
    tokenizer = _load_tokenizer(folder / "tokenizer")
    text_encoder = _load_text_encoder(folder / "text_encoder", DTYPES[dtype])
    vae = _load_diffusers(folder / "vae", "AutoencoderKL", VAE, DTYPES[dtype]) if with_vae else None
    unet = _load_diffusers(folder / "unet", "UNet3DConditionModel", UNET, DTYPES[dtype], dtype == FP8)
    _check_fit(folder, unet, vae, text_encoder, tokenizer)
    backbone = UNet3DBackbone(unet, vae, text_encoder, tokenizer, schedule)
    if compiled:
        compile_blocks(unet)
    return backbone


def load_vae(folder: str | Path, dtype: str = "fp32") -> Any:
    """The AutoencoderKL alone of a model folder, on the CPU. CheckpointError as `load_t2v`."""
    folder = Path(folder)
    check_folder(folder)
    return _load_diffusers(folder / "vae", "AutoencoderKL", VAE, DTYPES[dtype])


def _load_diffusers(folder: Path, class_name: str, kind: str, dtype: torch.dtype, fp8: bool = False) -> Any:
    import diffusers

    config = read_json(folder / "config.json")
    found = config.get("_class_name", class_name)
    if found != class_name:
        raise CheckpointError(f"{folder}: is a {found}, expected a {class_name}; {MODELS}")
    settings = {key: value for key, value in config.items() if not key.startswith("_")}
    module = _built(folder, lambda: getattr(diffusers, class_name).from_config(settings))
    tensors, path = read_weights(folder, (DIFFUSERS_STEM,))
    nn.Module.to(module, dtype)  # past diffusers' own, which warns of nothing
    tensors = _new_attention_names(tensors)
    if fp8:
        store_fp8(module)
        tensors = fp8_tensors(module, tensors)
    return _filled(module, tensors, path, kind)


def _load_text_encoder(folder: Path, dtype: torch.dtype) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    config = read_json(folder / "config.json")
    model_type = config.get("model_type", "clip_text_model")
    if model_type != "clip_text_model":
        raise CheckpointError(f"{folder}: is a {model_type}, expected a clip_text_model; {MODELS}")
    module = _built(folder, lambda: CLIPTextModel(CLIPTextConfig.from_dict(config))).to(dtype)
    tensors, path = read_weights(folder, ("model", "pytorch_model"))
    bare = {
        key.removeprefix("text_model."): value
        for key, value in tensors.items()
        if not key.endswith(".position_ids")  # a constant that old files store
    }
    # transformers 4 keeps the model under this prefix, transformers 5 does not.
    prefix = "text_model." if hasattr(module, "text_model") else ""
    filled = _filled(module, {prefix + key: value for key, value in bare.items()}, path, TEXT_ENCODER)
    embeddings = (filled.text_model if prefix else filled).embeddings
    embeddings.position_ids = torch.arange(embeddings.position_embedding.num_embeddings)[None]
    return filled


def _load_tokenizer(folder: Path) -> Any:
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


def _built(folder: Path, build: Any) -> Any:
    """The module without memory for its weights, from the settings in config.json."""
    try:
        with torch.device("meta"):
            return build()
    except (TypeError, ValueError, KeyError, AttributeError, NotImplementedError) as error:
        raise CheckpointError(f"{folder / 'config.json'}: does not describe a model ({error})") from error


def _filled(module: Any, tensors: Mapping[str, Tensor], path: Path, kind: str) -> Any:
    load_strict(module, tensors, path, kind)
    return module.eval().requires_grad_(False)


def _new_attention_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names of attention weights from before diffusers 0.15, as in the published VAE files, made current."""
    return {
        _OLD_ATTENTION.sub(lambda m: f"{m[1]}{_ATTENTION[m[2]]}.{m[3]}", key): value
        for key, value in tensors.items()
    }


def _check_fit(folder: Path, unet: Any, vae: Any, text_encoder: Any, tokenizer: Any) -> None:
    """CheckpointError when the parts of a folder are not of one model."""
    table = text_encoder.get_input_embeddings()
    wanted = {"text width": (unet.config.cross_attention_dim, "unet", table.embedding_dim, "text_encoder")}
    if vae is not None:
        channels = vae.config.latent_channels
        wanted["latent channels"] = (unet.config.in_channels, "unet", channels, "vae")
        wanted["predicted channels"] = (unet.config.out_channels, "unet", channels, "vae")
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
