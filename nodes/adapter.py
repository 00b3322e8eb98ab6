"""What flows through the A2V_AUDIO_ADAPTER socket: an audio adapter whose weights ComfyUI keeps."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..a2v_core.backbones import BackboneSpec
from ..a2v_core.backbones.dit import AdapterConfig, AudioAdapter
from ..a2v_core.errors import A2VError
from ..a2v_core.tokens import AudioTokens
from . import runtime
from .mapper import ManagedMapper


class ManagedAdapter:
    """An audio adapter in two parts: its AudioMapper, and the layers that go with the base model.

    Every MODEL that it is applied to refers to the one `patcher`, so that its weights count once.
    """

    def __init__(self, adapter: AudioAdapter) -> None:
        self._adapter = adapter
        self.mapper = ManagedMapper(adapter.mapper)
        layers = runtime.ManagedLayers(adapter.attention, runtime.unet_devices(), type(adapter).__name__)
        self.patcher: Any = layers.patcher

    @property
    def config(self) -> AdapterConfig:
        """What it was made for."""
        return self._adapter.config

    def tokens(self, audio_tokens: AudioTokens, spec: BackboneSpec) -> Tensor:
        """Audio tokens [1, f, n, D] of every latent frame, on ComfyUI's device for values between nodes.

        A2VError for tokens of another width or another AudioMapper, for a length that the base model does not
        have, and for words that are missing.
        """
        if audio_tokens.width != self.config.token_width:
            raise A2VError(
                f"the audio tokens are {audio_tokens.width} wide, the audio adapter takes "
                f"{self.config.token_width}: {_MAPPER}"
            )
        if audio_tokens.mapper and audio_tokens.mapper != self.mapper.fingerprint:
            raise A2VError(f"the audio tokens were made by another AudioMapper than the adapter's: {_MAPPER}")
        words = {word: rows[None].float().cpu() for word, rows in audio_tokens.words.items()}
        return runtime.intermediate(self._adapter.tokens(words, spec).detach())

    def inject(self, block: int, x: Tensor, tokens: Tensor, gate: Tensor) -> Tensor:
        """The video tokens x [B, f * S, C] after a block with audio in them. See `AudioAdapter.inject`."""
        return self._adapter.inject(block, x, tokens, gate)


_MAPPER = "connect the mapper of Load Audio Adapter to AudioMapper and to Temporal Context Pooling"
