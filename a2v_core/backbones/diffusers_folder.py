"""The files of a model in the diffusers layout: found, parsed, and named in the error when one is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..checkpoints import read_checkpoint
from ..errors import CheckpointError
from ..places import ADAPTER_FOLDER, MODEL_INDEX, PICTURE_DENOISER, holds_model
from ..texts import read_text

FOLDERS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
DENOISERS = ("unet", "transformer")  # what families call the first of them
DIFFUSERS_STEM = "diffusion_pytorch_model"
_LAYOUT = "model_index.json and the folders " + ", ".join(FOLDERS)


def check_folder(folder: Path) -> None:
    """CheckpointError unless `folder` is a diffusers model with all its parts."""
    if folder.is_file():
        raise CheckpointError(
            f"{folder}: is a file; a text-to-video model is a folder in the diffusers layout, with {_LAYOUT}"
        )
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder; put the text-to-video model there, with {_LAYOUT}")
    if not (folder / MODEL_INDEX).is_file():
        raise CheckpointError(
            f"{folder}: is not a text-to-video model in the diffusers layout, model_index.json is missing; "
            f"it should have {_LAYOUT}; or two files, Stable Diffusion 1.5 and motion modules of AnimateDiff"
        )
    missing = [part for part in parts_of(folder) if not (folder / part).is_dir()]
    if missing:
        raise CheckpointError(
            f"{folder}: lacks the folder {', '.join(missing)}; download the whole model ({_LAYOUT})"
        )


def is_of_files(folder: Path) -> bool:
    """Whether a folder holds single files, such as a checkpoint and its motion modules, and no such model."""
    if not folder.is_dir():
        return False
    names = [path.name for path in folder.iterdir() if path.is_file()]
    return MODEL_INDEX not in names and holds_model(names)


def denoiser_folder(folder: Path) -> Path:
    """Where a model keeps its denoiser; `unet` when it has none."""
    found = (folder / name for name in DENOISERS if (folder / name).is_dir())
    return next(found, folder / DENOISERS[0])


def denoiser_class(folder: Path) -> str | None:
    """The class of a model's denoiser by its config; None when that does not say.

    A UNet for pictures with a motion adapter beside it is a UNetMotionModel: AnimateDiff in two parts.
    """
    found = read_json(denoiser_folder(folder) / "config.json").get("_class_name")
    if found == PICTURE_DENOISER and (folder / ADAPTER_FOLDER).is_dir():
        return "UNetMotionModel"
    return found


def parts_of(folder: Path) -> tuple[str, ...]:
    """The names of the folders that a model should have: `FOLDERS`, the denoiser's as this model calls it."""
    return denoiser_folder(folder).name, *FOLDERS[1:]


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; CheckpointError when it is missing or broken."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; download this part of the model again")
    try:
        content = json.loads(read_text(path))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: is not valid JSON ({error}); download it again") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}, expected a JSON object of settings")
    return content


def built(path: Path, build: Callable[[], Any]) -> Any:
    """What `build` makes of settings that were read from `path`, without memory for its weights."""
    try:
        with torch.device("meta"):
            return build()
    except (TypeError, ValueError, KeyError, AttributeError, NotImplementedError) as error:
        raise CheckpointError(f"{path}: does not describe a model ({error})") from error


def built_diffusers(folder: Path, class_name: str, models: str) -> Any:
    """A network of diffusers by its config.json, without memory for its weights.

    CheckpointError for another class, which ends with `models`: what to use instead.
    """
    import diffusers

    config = read_json(folder / "config.json")
    found = config.get("_class_name", class_name)
    if found != class_name:
        raise CheckpointError(f"{folder}: is a {found}, expected a {class_name}; {models}")
    settings = {key: value for key, value in config.items() if not key.startswith("_")}
    return built(folder / "config.json", lambda: getattr(diffusers, class_name).from_config(settings))


def read_weights(folder: Path, stems: tuple[str, ...]) -> tuple[dict[str, Tensor], Path]:
    """The state dict in `folder` and the file it came from; safetensors before .bin, full before fp16 files.

    `stems` are the file names without ending. Files in several pieces are put together.
    CheckpointError when there is none, or when it cannot be read.
    """
    names = [
        f"{stem}{variant}{ending}"
        for ending in (".safetensors", ".bin")
        for variant in ("", ".fp16")
        for stem in stems
    ]
    for name in names:
        if (folder / name).exists():
            return read_checkpoint(folder / name).tensors, folder / name
        if (folder / f"{name}.index.json").exists():
            return _read_pieces(folder / f"{name}.index.json"), folder / f"{name}.index.json"
    raise CheckpointError(
        f"{folder}: holds no weights; expected {names[0]} (or {', '.join(names[1:])}). Download this "
        "part of the model again"
    )


def _read_pieces(index: Path) -> dict[str, Tensor]:
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise CheckpointError(f"{index}: has no weight_map of file names; download it again")
    tensors: dict[str, Tensor] = {}
    for name in sorted(set(places.values())):
        # A name from a downloaded file: never let it lead out of the model's folder.
        tensors |= read_checkpoint(index.parent / Path(name).name).tensors
    return tensors
