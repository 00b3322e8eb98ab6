"""Identification of model files: kind, facts, folder and loader, read from the file itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from ..audio.beats import BEATsConfig, read_cfg
from ..checkpoints import Checkpoint, read_checkpoint
from ..errors import A2VError
from ..places import (
    ALL_IN_ONE,
    BEATS,
    LORA,
    MAPPER,
    MODEL_INDEX,
    MOTION_ADAPTER,
    ORIGINAL_T2V_UNET,
    ORIGINAL_UNET,
    ORIGINAL_VAE,
    OTHER_FOLDER,
    PICTURE_UNET,
    T2V_DENOISERS,
    T2V_FOLDER,
    TEXT_ENCODER,
    TURBO_LORA,
    UNET,
    VAE,
    belongs,
    describe,
    weight_files,
)
from ..tokens import config_of
from .describe import format_size


@dataclass(frozen=True)
class Identity:
    """What a file or folder is.

    kind     one of the names in `a2v_core.places`
    belongs  folder and loader; "" when this pack cannot tell
    facts    by name, ready for JSON
    """

    path: Path
    kind: str
    belongs: str
    facts: dict[str, Any] = field(default_factory=dict)


def identify(path: str | Path) -> Identity:
    """Identify a model file, or a model folder in the diffusers layout.

    CheckpointError for what cannot be read as a model at all.
    """
    path = Path(path)
    if path.is_dir():
        return _folder(path)
    checkpoint = read_checkpoint(path)
    kind = describe(checkpoint.tensors)
    facts = _common(path, checkpoint.tensors)
    if reader := _FACTS.get(kind):
        facts |= reader(checkpoint)
    return Identity(path, kind, belongs(kind), facts)


def _common(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    dtypes = sorted({str(value.dtype).removeprefix("torch.") for value in tensors.values()})
    return {
        "bytes": path.stat().st_size,
        "tensors": len(tensors),
        "parameters": sum(value.numel() for value in tensors.values()),
        "dtype": " and ".join(dtypes),
    }


def _beats(checkpoint: Checkpoint) -> dict[str, Any]:
    try:
        config = BEATsConfig.from_cfg(read_cfg(checkpoint, "file"))
    except A2VError as error:
        return {"problem": str(error)}
    return {
        "layers": config.encoder_layers,
        "width": config.encoder_embed_dim,
        "heads": config.encoder_attention_heads,
        "classes": config.predictor_class,
    }


def _mapper(checkpoint: Checkpoint) -> dict[str, Any]:
    try:
        config = config_of(checkpoint.tensors, checkpoint.metadata)
    except A2VError as error:
        return {"problem": str(error)}
    facts = {
        "layout": config.layout,
        "words": list(config.words),
        "windows": list(config.windows),
        "input width": config.input_size,
        "token width": config.output_size,
        "linear layers": config.depth,
    }
    optional: dict[str, Any] = {"base model": config.base_model, "BEATs layers": list(config.layers)}
    return facts | {name: value for name, value in optional.items() if value}


def _unet(checkpoint: Checkpoint) -> dict[str, Any]:
    sizes = {"text width": ".attn2.to_k.weight", "latent channels": "conv_in.weight"}
    found = {name: _second_size(checkpoint.tensors, ending) for name, ending in sizes.items()}
    is_video = describe(checkpoint.tensors) in (UNET, ORIGINAL_T2V_UNET)
    about: dict[str, Any] = {"type": "3D (video)" if is_video else "2D (pictures)"}
    return about | {name: size for name, size in found.items() if size is not None}


def _vae(checkpoint: Checkpoint) -> dict[str, Any]:
    channels = _second_size(checkpoint.tensors, "decoder.conv_in.weight")
    return {} if channels is None else {"latent channels": channels}


def _text(checkpoint: Checkpoint) -> dict[str, Any]:
    tensors = checkpoint.tensors
    embedding = next(value for key, value in tensors.items() if "embeddings.token_embedding." in key)
    return {
        "layers": _count(tensors, r"\blayers\.(\d+)\."),
        "width": embedding.shape[-1],
        "vocabulary": embedding.shape[0],
    }


# Layouts of low-rank updates, each by a key that every layer has once.
_LAYOUTS = {
    "T2V-Turbo (a list of tensors)": r"^\d+\.lora_down$",
    "LoHa": r"\.hada_w1_a$",
    "LoKr": r"\.lokr_w1(?:_a)?$",
    "GLoRA": r"\.a1\.weight$",
    "OFT": r"\.oft_(?:blocks|diag)$",
    "kohya": r"^lora_\w+\.lora_down\.weight$",
    "PEFT": r"\.lora_A(?:\.\w+)*$",
    "diffusers": r"\.lora_down\.weight$|\.lora(?:_linear_layer)?\.down\.weight$",
    "attention processors": r"_lora\.down\.weight$",
}
_NO_RANK = ("LoKr", "GLoRA", "OFT")  # layouts whose tensor of that key does not show the rank


def _lora(checkpoint: Checkpoint) -> dict[str, Any]:
    tensors = checkpoint.tensors
    for layout, mark in _LAYOUTS.items():
        if downs := [tensors[key] for key in tensors if re.search(mark, key)]:
            facts: dict[str, Any] = {"layout": layout, "layers": len(downs)}
            ranks = [min(down.shape[:2]) for down in downs if down.ndim >= 2 and layout not in _NO_RANK]
            return facts | ({"rank": max(ranks)} if ranks else {})
    return {"layout": "unknown"}


_FACTS: dict[str, Callable[[Checkpoint], dict[str, Any]]] = {
    BEATS: _beats,
    MAPPER: _mapper,
    UNET: _unet,
    PICTURE_UNET: _unet,
    ORIGINAL_T2V_UNET: _unet,
    ORIGINAL_UNET: _unet,
    VAE: _vae,
    ORIGINAL_VAE: _vae,
    TEXT_ENCODER: _text,
    LORA: _lora,
    TURBO_LORA: _lora,
}


def _folder(path: Path) -> Identity:
    """A diffusers folder, by its index; its weights are not read."""
    from ..backbones import (
        check_folder,
        denoiser_class,
        denoiser_folder,
        is_of_files,
        parts_of,
        read_json,
    )

    index = path / MODEL_INDEX
    if is_of_files(path):
        return _files(path)
    if not index.is_file():
        check_folder(path)  # raises and names what is missing
    pipeline = read_json(index).get("_class_name", "unknown")
    folder, parts = denoiser_folder(path), parts_of(path)
    config = folder / "config.json"
    denoiser = read_json(config) if config.is_file() else {}
    facts: dict[str, Any] = {
        "pipeline": pipeline,
        "bytes": sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
        "parts": [part for part in parts if (path / part).is_dir()],
        "missing parts": [part for part in parts if not (path / part).is_dir()],
    }
    if denoiser:
        width = denoiser.get("cross_attention_dim") or denoiser.get("text_dim")
        facts |= {folder.name: denoiser.get("_class_name"), "text width": width}
    known = bool(denoiser) and denoiser_class(path) in T2V_DENOISERS
    kind = T2V_FOLDER if known else OTHER_FOLDER
    return Identity(path, kind, belongs(kind), {name: value for name, value in facts.items() if value})


def _files(path: Path) -> Identity:
    """A folder of single files: AnimateDiff, if they are what it is made of."""
    files = [identify(path / name) for name in weight_files(file.name for file in path.iterdir())]
    made_of = sorted(file.kind for file in files)
    kind = T2V_FOLDER if made_of == sorted((ALL_IN_ONE, MOTION_ADAPTER)) else OTHER_FOLDER
    facts = {"bytes": sum(file.facts["bytes"] for file in files)}
    return Identity(path, kind, belongs(kind), facts | {file.path.name: file.kind for file in files})


def _second_size(tensors: Mapping[str, Tensor], ending: str) -> int | None:
    found = next((value for key, value in tensors.items() if key.endswith(ending) and value.ndim >= 2), None)
    return None if found is None else found.shape[1]


def _count(keys: Iterable[str], pattern: str) -> int:
    return len({found[1] for key in keys if (found := re.search(pattern, key))})


def as_text(identity: Identity) -> str:
    """A few lines for people."""
    lines = [f"{identity.path}: {identity.kind}"]
    for name, value in identity.facts.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        lines.append(f"  {name:16} {format_size(value) if name == 'bytes' else _grouped(shown)}")
    lines.append(f"  {'belongs':16} {identity.belongs or 'unknown: this pack has no loader for it'}")
    return "\n".join(lines)


def as_json(identity: Identity) -> str:
    """One JSON object."""
    about = {"path": str(identity.path), "kind": identity.kind, "belongs": identity.belongs or None}
    return json.dumps(about | identity.facts)


def _grouped(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
