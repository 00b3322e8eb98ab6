"""The trained AudioMapper: built from the config, saved with metadata of its training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from a2v_core.tokens import AudioMapper, MapperConfig, load_mapper, save_mapper

from ..config import Config
from ..errors import ConfigError

MAPPER_FILE = "mapper.safetensors"
BEST_FILE = "best.safetensors"


def make_mapper(config: Config, layer_width: int, num_layers: int, token_width: int) -> AudioMapper:
    """A mapper with weights from the seed, or from `models.mapper`; float32 on the CPU.

    layer_width  width of a BEATs layer
    num_layers   BEATs layers of a clip
    token_width  width of the text encoder's token embeddings

    ConfigError when `models.mapper` has another architecture, or for a layer that BEATs does not have.
    """
    used = config.mapper.layers
    if used and not config.cache.layers and max(used) >= num_layers:
        raise ConfigError(f"mapper.layers: {max(used)} is asked for, BEATs has {num_layers}, from 0")
    mapper_config = MapperConfig(
        input_size=(len(used) or num_layers) * layer_width,
        hidden_size=config.mapper.hidden_size,
        output_size=token_width,
        layout=config.mapper.layout,
        windows=tuple(config.mapper.windows),
        depth=config.mapper.depth,
        words=config.mapper.words,
        layers=tuple(used),
        base_model=config.models.t2v.resolve().name,
        no_sound=config.loss.condition_dropout > 0,
    )
    # The global generator is left as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        mapper = AudioMapper(mapper_config)
    if config.models.mapper is not None:
        _load_initial_weights(mapper, load_mapper(config.models.mapper), config.models.mapper)
    if "class" not in mapper_config.words:
        mapper.fga.requires_grad_(False)
    return mapper.train()


def save_trained_mapper(config: Config, mapper: AudioMapper, path: Path, facts: dict[str, Any]) -> None:
    """Write the mapper with metadata of its training, atomically."""
    with torch.device("meta"):
        saved = AudioMapper(replace(mapper.config, facts=facts_of(config) | facts))
    saved.load_state_dict(mapper.state_dict(), assign=True)
    save_mapper(path, saved)


def facts_of(config: Config) -> dict[str, Any]:
    """Metadata of the training for users of the mapper."""
    return {
        "data": config.data.layout,
        "fps": config.data.fps,
        "num_frames": config.data.num_frames,
        "width": config.data.width,
        "height": config.data.height,
        "prompt": config.data.prompt,
        "hop_ms": config.audio.hop_ms,
        "chunk_seconds": config.audio.chunk_seconds,
        "beats": config.models.beats.name,
        "learning_rate": config.optimizer.learning_rate,
        "ema_decay": config.optimizer.ema_decay,
        "loss": config.loss.model_dump(mode="json"),
        "seed": config.seed,
    }


def _load_initial_weights(mapper: AudioMapper, start: AudioMapper, path: Path) -> None:
    expected, found = mapper.config, start.config
    names = ("input_size", "hidden_size", "output_size", "layout", "windows", "depth", "layers")
    differing = [
        f"{name} {getattr(found, name)} (the config: {getattr(expected, name)})"
        for name in names
        if getattr(found, name) != getattr(expected, name)
    ]
    if differing:
        raise ConfigError(
            f"models.mapper: {path} has {', '.join(differing)}; set mapper.* to that, or start from scratch"
        )
    # Only the "no sound" token may be missing on either side.
    weights = {key: value for key, value in start.state_dict().items() if key in mapper.state_dict()}
    mapper.load_state_dict(weights, strict=False)
