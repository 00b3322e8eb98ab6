"""The trained audio adapter: its AudioMapper and the layers that bring its words into a frozen video DiT.

Legend: B clips, F frames, f latent frames, D token width, L text positions, C text width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from a2v_core.backbones import AudioAdapted, Backbone, BackboneSpec, BlockStack, Recompute
from a2v_core.backbones.dit import AdapterConfig, AudioAdapter, load_adapter, save_adapter
from a2v_core.errors import A2VError
from a2v_core.pipeline import Contexts, VideoPipeline, VideoRequest
from a2v_core.prompts import ContextBatch, FrameContext
from a2v_core.tokens import AudioMapper

from ..config import Config
from ..errors import ConfigError
from ..prompts import text_of
from .trained_mapper import check_same_mapper, mapper_config, mapper_of
from .trainee import Trainee, facts_of


class AdaptedBackbone(Backbone, AudioAdapted, Protocol):
    """A backbone that hears the sound beside the text."""


class AdapterTrainee(Trainee[AudioAdapter]):
    """The audio adapter of a model that hears the sound beside the text.

    encode  texts -> their states [B, L, C]: by the model's text encoder, or from the cache
    """

    name = "adapter"

    def __init__(
        self, config: Config, backbone: AdaptedBackbone, encode: Callable[[Sequence[str]], Tensor]
    ) -> None:
        super().__init__(config)
        self._backbone, self._encode = backbone, encode

    def make(self, layer_width: int, num_layers: int) -> AudioAdapter:
        """See `Trainee.make`."""
        config, options = self.config, self.config.adapter
        architecture = replace(
            mapper_config(config, layer_width, num_layers, options.token_width), no_sound=False
        )
        own = adapter_config(config, self._backbone.spec, self._backbone.block_stack())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            adapter = AudioAdapter(own, mapper_of(config, architecture))
        if config.models.adapter is not None:
            name = f"models.adapter: {config.models.adapter}"
            start = load_adapter(config.models.adapter)
            check_same_mapper(architecture, start.mapper.config, name)
            check_same_adapter(own, start.config, name)
            adapter.load_state_dict(start.state_dict())
        self._backbone.use_adapter(adapter)
        if config.run.gradient_checkpointing and isinstance(self._backbone, Recompute):
            self._backbone.recompute_activations()  # of its layers as well
        return adapter.train()

    def like(self, module: AudioAdapter) -> AudioAdapter:
        """See `Trainee.like`."""
        with torch.device("meta"):
            return AudioAdapter(module.config, AudioMapper(module.mapper.config))

    def mapper(self, module: AudioAdapter) -> AudioMapper:
        """See `Trainee.mapper`."""
        return module.mapper

    def without_sound(self, module: AudioAdapter, tokens: Tensor, dropped: Tensor) -> Tensor:
        """See `Trainee.without_sound`: the same, their gate is 0."""
        return tokens

    def context(
        self, module: AudioAdapter, captions: Sequence[str], words: Mapping[str, Tensor], dropped: Tensor
    ) -> ContextBatch:
        """See `Trainee.context`."""
        self._backbone.use_adapter(module)
        states = self._encode([text_of(self.config, caption) for caption in captions])
        return self._backbone.context_of(states, words, 1 - dropped[:, None].float())

    def video_texts(
        self, module: AudioAdapter, caption: str, request: VideoRequest, model: VideoPipeline
    ) -> Contexts:
        """See `Trainee.video_texts`: guidance leads away from the text without its sound, or from no text."""
        self._backbone.use_adapter(module)
        prompt = text_of(self.config, caption)
        text, negative = self._encode(
            [prompt, prompt if self.config.validation.away_from == "no_sound" else ""]
        )
        assert request.tokens is not None
        words = {word: rows[None] for word, rows in request.tokens.words.items()}
        audio = module.tokens(words, self._backbone.spec)[0]
        index = torch.zeros(len(audio), dtype=torch.int64)
        return Contexts(FrameContext(text[None], index, audio), FrameContext(negative[None], index))

    def save(self, module: AudioAdapter, path: Path, facts: dict[str, Any]) -> None:
        """See `Trainee.save`."""
        facts = facts_of(self.config) | facts
        with torch.device("meta"):
            mapper = AudioMapper(replace(module.mapper.config, facts=facts))
            saved = AudioAdapter(replace(module.config, facts=facts), mapper)
        saved.load_state_dict(module.state_dict(), assign=True)
        save_adapter(path, saved)


def adapter_config(config: Config, spec: BackboneSpec, stack: BlockStack) -> AdapterConfig:
    """That of the adapter of a training. ConfigError for blocks that the model does not have."""
    options = config.adapter
    try:
        return AdapterConfig.for_model(
            spec,
            stack,
            options.blocks,
            base_model=config.models.t2v.resolve().name,
            token_width=options.token_width,
            inner=options.inner,
            heads=options.heads,
            kinds=config.mapper.words,
            route=options.route,
        )
    except A2VError as error:
        raise ConfigError(f"adapter: {error}") from error


def check_same_adapter(expected: AdapterConfig, found: AdapterConfig, name: str) -> None:
    """ConfigError for a file, called `name`, whose adapter is not that of the config and the model."""
    free = ("base_model", "facts")
    differing = [
        f"{field.name} {getattr(found, field.name)} (here: {getattr(expected, field.name)})"
        for field in fields(AdapterConfig)
        if field.name not in free and getattr(found, field.name) != getattr(expected, field.name)
    ]
    if differing:
        raise ConfigError(f"{name} has {', '.join(differing)}; set adapter.* to that, or start from scratch")
