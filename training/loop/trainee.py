"""What is trained with a frozen model, and how its audio words come into it.

Two kinds: the AudioMapper of a model with audio words in its prompts, and the audio adapter, its AudioMapper
included, of a model that hears the sound beside the text.

Legend: B clips, F frames, G frames before pooling, D token width, L text positions, C text width.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

from a2v_core.pipeline import Contexts, VideoPipeline, VideoRequest
from a2v_core.prompts import ContextBatch
from a2v_core.tokens import AudioMapper

from ..config import Config

Module = TypeVar("Module", bound=nn.Module)


class Trainee(ABC, Generic[Module]):
    """Makes, uses and saves the trained module of a config.

    name  of the module in checkpoints
    """

    name: ClassVar[str]

    def __init__(self, config: Config) -> None:
        self.config = config

    @property
    def file(self) -> Path:
        """Where the module is saved."""
        return self.config.output_dir / f"{self.name}.safetensors"

    @abstractmethod
    def make(self, layer_width: int, num_layers: int) -> Module:
        """A new module in float32 on the CPU, for BEATs layers of this width and number.

        ConfigError for settings or initial weights that cannot be used.
        """

    @abstractmethod
    def like(self, module: Module) -> Module:
        """An empty one of the same kind, on the device "meta"."""

    @abstractmethod
    def mapper(self, module: Module) -> AudioMapper:
        """Its AudioMapper."""

    @abstractmethod
    def without_sound(self, module: Module, tokens: Tensor, dropped: Tensor) -> Tensor:
        """Tokens [B, G, D] with those of no sound for the clips in `dropped`, bool [B]."""

    @abstractmethod
    def context(
        self, module: Module, captions: Sequence[str], words: Mapping[str, Tensor], dropped: Tensor
    ) -> ContextBatch:
        """The texts of B clips with word -> [B, F, D]; `dropped` bool [B]: clips without sound."""

    @abstractmethod
    def video_texts(
        self, module: Module, caption: str, request: VideoRequest, model: VideoPipeline
    ) -> Contexts:
        """The texts of a validation video of a clip, with the tokens of the request and the config's negative
        prompt."""

    @abstractmethod
    def save(self, module: Module, path: Path, facts: dict[str, Any]) -> None:
        """Write it with metadata of its training, atomically."""

    def copy_of(self, module: Module, values: Mapping[str, Tensor]) -> Module:
        """The same with other weights, which it shares."""
        copy = self.like(module)
        copy.load_state_dict(dict(values), assign=True)
        return copy


def facts_of(config: Config) -> dict[str, Any]:
    """Metadata of the training for users of what was trained."""
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


def none_dropped(count: int) -> Tensor:
    """`dropped` of clips that all have their sound."""
    return torch.zeros(count, dtype=torch.bool)
