"""AudioMapper files: the published `learned_embeds.pth`, and safetensors that carry the config."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoints import load_strict, read_checkpoint, write_safetensors
from ..errors import A2VError, CheckpointError
from ..files import atomic_path
from ..places import MAPPER
from .config import PUBLISHED_BASE_MODEL, MapperConfig
from .mapper import AudioMapper

CONFIG_KEY = "a2v_mapper_config"


def load_mapper(path: str | Path) -> AudioMapper:
    """Load an AudioMapper in eval mode, float32 on the CPU.

    A file without config is a published one: `reference` layout, widths as the tensors have them. Raises
    CheckpointError for a broken file, another model, missing or extra keys and wrong widths.
    """
    tensors, metadata, _ = read_checkpoint(path)
    try:
        config = config_of(tensors, metadata)
    except A2VError as error:
        raise CheckpointError(f"{path}: {error}") from error
    with torch.device("meta"):
        mapper = AudioMapper(config)
    load_strict(mapper, tensors, path, MAPPER)
    return mapper.eval()


def save_mapper(path: str | Path, mapper: AudioMapper) -> None:
    """Write weights and config as safetensors, atomically."""
    write_safetensors(path, mapper.state_dict(), {"format": "pt", CONFIG_KEY: mapper.config.to_json()})


def export_learned_embeds(path: str | Path, mapper: AudioMapper) -> None:
    """Write the plain state dict that the published code loads, atomically.

    Raises A2VError for a mapper that a plain file cannot describe: it holds no config, and readers take it
    for the published layout, windows and words.
    """
    weights = {key: value.detach().cpu() for key, value in mapper.state_dict().items()}
    implied = _published_config(weights)
    own = asdict(mapper.config)
    not_stored = ("layout", "windows", "words", "layers", "no_sound")
    if differing := [f"{name} {own[name]}" for name in not_stored if own[name] != asdict(implied)[name]]:
        settings = ", ".join(differing)
        raise A2VError(
            f"{path}: a plain state dict cannot carry this mapper's {settings}; write safetensors instead"
        )
    try:
        with atomic_path(path) as part:
            torch.save(weights, part)
    except (OSError, RuntimeError) as error:
        raise CheckpointError(f"{path}: cannot be written: {error}; check folder and free space") from error


def config_of(tensors: dict[str, Tensor], metadata: dict[str, str]) -> MapperConfig:
    """The config in a file's metadata, else that of the published layout. A2VError when it is broken."""
    if CONFIG_KEY in metadata:
        return MapperConfig.from_json(metadata[CONFIG_KEY])
    return _published_config(tensors)


def _published_config(tensors: dict[str, Tensor]) -> MapperConfig:
    """The config of a plain state dict; the published one where keys are missing: loading then names them."""
    depth = sum(1 for key in tensors if key.startswith("fc") and key.endswith(".weight"))
    first, last = tensors.get("fc1.weight"), tensors.get(f"fc{depth}.weight")
    if depth < 2 or first is None or last is None or first.ndim != 2 or last.ndim != 2:
        return MapperConfig()
    hidden, width = first.shape
    config = MapperConfig(input_size=width, hidden_size=hidden, output_size=last.shape[0], depth=depth)
    return replace(config, base_model=PUBLISHED_BASE_MODEL) if config == MapperConfig() else config
