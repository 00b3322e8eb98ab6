"""The trained AudioMapper: built from the config, words in the prompt, saved with facts of its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from a2v_core.backbones import Backbone
from a2v_core.pipeline import Contexts, VideoPipeline, VideoRequest
from a2v_core.prompts import ContextBatch
from a2v_core.tokens import AudioMapper, MapperConfig, load_mapper, save_mapper

from ..config import Config
from ..errors import ConfigError
from ..prompts import prompt_of
from .trainee import Trainee, facts_of


class MapperTrainee(Trainee[AudioMapper]):
    """The AudioMapper of a model with audio words in its prompts."""

    name = "mapper"

    def __init__(self, config: Config, backbone: Backbone) -> None:
        super().__init__(config)
        self._backbone = backbone

    def make(self, layer_width: int, num_layers: int) -> AudioMapper:
        """See `Trainee.make`."""
        return make_mapper(self.config, layer_width, num_layers, self._backbone.spec.word_width)

    def like(self, module: AudioMapper) -> AudioMapper:
        """See `Trainee.like`."""
        with torch.device("meta"):
            return AudioMapper(module.config)

    def mapper(self, module: AudioMapper) -> AudioMapper:
        """See `Trainee.mapper`."""
        return module

    def without_sound(self, module: AudioMapper, tokens: Tensor, dropped: Tensor) -> Tensor:
        """See `Trainee.without_sound`: the learned token, if the mapper has one."""
        return module.drop_sound(tokens, dropped) if module.config.no_sound else tokens

    def context(
        self, module: AudioMapper, captions: Sequence[str], words: Mapping[str, Tensor], dropped: Tensor
    ) -> ContextBatch:
        """See `Trainee.context`."""
        return self._backbone.encode_texts([self._prompt(caption) for caption in captions], words)

    def video_texts(
        self, module: AudioMapper, caption: str, request: VideoRequest, model: VideoPipeline
    ) -> Contexts:
        """See `Trainee.video_texts`."""
        prompt, data = self._prompt(caption), self.config.data
        request = replace(request, prompt=prompt)
        if self.config.validation.away_from == "no_sound":
            silent = module.pool(module.no_sound_tokens(data.num_frames, data.fps))
            request = replace(request, negative_prompt=prompt, negative_tokens=silent)
        return model.encode(request)

    def save(self, module: AudioMapper, path: Path, facts: dict[str, Any]) -> None:
        """See `Trainee.save`."""
        save_mapper(path, with_facts(module, facts_of(self.config) | facts))

    def _prompt(self, caption: str) -> str:
        return prompt_of(self.config.data, caption, self.config.mapper.words)


def make_mapper(config: Config, layer_width: int, num_layers: int, token_width: int) -> AudioMapper:
    """A mapper with weights from the seed, or from `models.mapper`; float32 on the CPU.

    layer_width  width of a BEATs layer
    num_layers   BEATs layers of a clip
    token_width  width of the text encoder's token embeddings

    ConfigError when `models.mapper` has another architecture, or for a layer that BEATs does not have.
    """
    return mapper_of(config, mapper_config(config, layer_width, num_layers, token_width))


def mapper_config(config: Config, layer_width: int, num_layers: int, token_width: int) -> MapperConfig:
    """That of the mapper of a training. ConfigError for a layer that BEATs does not have."""
    used = config.mapper.layers
    if used and not config.cache.layers and max(used) >= num_layers:
        raise ConfigError(f"mapper.layers: {max(used)} is asked for, BEATs has {num_layers}, from 0")
    return MapperConfig(
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


def mapper_of(config: Config, architecture: MapperConfig) -> AudioMapper:
    """A mapper with weights from the seed, or from `models.mapper`. ConfigError when that is another one."""
    # The global generator is left as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        mapper = AudioMapper(architecture)
    if config.models.mapper is not None:
        start = load_mapper(config.models.mapper)
        check_same_mapper(architecture, start.config, f"models.mapper: {config.models.mapper}")
        # Only the "no sound" token may be missing on either side.
        weights = {key: value for key, value in start.state_dict().items() if key in mapper.state_dict()}
        mapper.load_state_dict(weights, strict=False)
    if "class" not in architecture.words:
        mapper.fga.requires_grad_(False)
    return mapper.train()


def with_facts(mapper: AudioMapper, facts: dict[str, Any]) -> AudioMapper:
    """The same weights with other facts in the config."""
    with torch.device("meta"):
        saved = AudioMapper(replace(mapper.config, facts=facts))
    saved.load_state_dict(mapper.state_dict(), assign=True)
    return saved


def check_same_mapper(expected: MapperConfig, found: MapperConfig, file: str) -> None:
    """ConfigError for a file, called `file`, whose mapper is not that of the config."""
    names = ("input_size", "hidden_size", "output_size", "layout", "windows", "depth", "layers")
    differing = [
        f"{name} {getattr(found, name)} (the config: {getattr(expected, name)})"
        for name in names
        if getattr(found, name) != getattr(expected, name)
    ]
    if differing:
        raise ConfigError(f"{file} has {', '.join(differing)}; set mapper.* to that, or start from scratch")
