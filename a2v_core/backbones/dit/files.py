"""Audio adapter files: one safetensors with the adapter, its AudioMapper and both configs."""

from __future__ import annotations

from pathlib import Path

import torch

from ...checkpoints import load_strict, read_checkpoint, write_safetensors
from ...errors import A2VError, CheckpointError
from ...tokens import AudioMapper, MapperConfig
from .adapter import AudioAdapter
from .config import AdapterConfig

ADAPTER_KEY, MAPPER_KEY = "a2v_adapter_config", "a2v_mapper_config"
NAME = "audio adapter"


def save_adapter(path: str | Path, adapter: AudioAdapter) -> None:
    """Write weights and configs, atomically."""
    configs = {ADAPTER_KEY: adapter.config.to_json(), MAPPER_KEY: adapter.mapper.config.to_json()}
    tensors = {name: value.contiguous() for name, value in adapter.state_dict().items()}
    write_safetensors(path, tensors, {"format": "pt", **configs})


def load_adapter(path: str | Path) -> AudioAdapter:
    """Load an audio adapter in eval mode, float32 on the CPU.

    CheckpointError for a broken file, a file of another kind, missing or extra weights and wrong shapes.
    """
    tensors, metadata, _ = read_checkpoint(path)
    if missing := [key for key in (ADAPTER_KEY, MAPPER_KEY) if key not in metadata]:
        raise CheckpointError(
            f"{path}: is not an {NAME}, its metadata has no {missing[0]}; expected a file that the trainer "
            "of this pack wrote"
        )
    try:
        config = AdapterConfig.from_json(metadata[ADAPTER_KEY])
        mapper_config = MapperConfig.from_json(metadata[MAPPER_KEY])
        with torch.device("meta"):
            adapter = AudioAdapter(config, AudioMapper(mapper_config))
    except A2VError as error:
        raise CheckpointError(f"{path}: {error}") from error
    load_strict(adapter, tensors, path, NAME)
    return adapter.eval()
