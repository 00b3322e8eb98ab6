"""Wan 2.1 and 2.2 text-to-video, with an audio adapter if one is loaded.

Text is one for the whole clip; sound comes in by frame attention (`backbones/dit`). Wan 2.2 14B has two
denoisers: one for the noisy timesteps, one for the rest.

Legend: B branches or clips, c latent channels, F video frames, f latent frames, h w latent size, H W picture
size, L text positions, C text width, n audio tokens of a latent frame, D their width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ...errors import A2VError
from ...layers import checkpoint_modules
from ...prompts import ContextBatch, FrameContext
from ...schedules import FlowSchedule
from ..contract import BackboneSpec, BlockStack, Grid, Part
from ..dit import AudioAdapter, FrozenText, audio_in_blocks
from ..fingerprint import fingerprint_of
from . import text, vae

if TYPE_CHECKING:
    from ...tokens import AudioTokens

# Room for work per value of a latent and byte of precision: ComfyUI's estimates for Wan 2.1.
DENOISER_BYTES = 9437
VAE_BYTES = 7000 * 64


@dataclass
class WanBackbone:
    """A text-to-video model as `Backbone` asks for it; made by `load_t2v`. What was not loaded is None.

    denoisers: one WanTransformer3DModel, or two. boundary: timesteps from here on are those of the first of
    two. shift: of the flow schedule. adapter: what brings sound in; None = text alone.
    """

    denoisers: tuple[Any, ...]
    vae: Any
    text_encoder: Any
    tokenizer: Any
    spec: BackboneSpec
    shift: float = 5.0
    boundary: float = 0.0
    adapter: AudioAdapter | None = None

    def __post_init__(self) -> None:
        self.use_adapter(self.adapter)

    @property
    def block_stack(self) -> BlockStack:
        """See `AudioAdapted.block_stack`."""
        config = self.denoisers[0].config
        width = config.num_attention_heads * config.attention_head_dim
        return BlockStack(config.num_layers, width, config.text_dim)

    def use_adapter(self, adapter: AudioAdapter | None) -> None:
        """See `AudioAdapted.use_adapter`."""
        if adapter is not None and self.denoisers:
            stack = self.block_stack
            adapter.config.check_fits(stack.width, stack.number, self.spec)
        self.adapter = adapter

    @property
    def device(self) -> torch.device:
        device: torch.device = next((self.denoisers or (self.vae,))[0].parameters()).device
        return device

    def parts(self) -> Mapping[Part, Sequence[nn.Module]]:
        """See `Backbone.parts`. The adapter goes with the denoiser."""
        adapter = () if self.adapter is None else (self.adapter,)
        parts: dict[Part, Sequence[Any]] = {
            "text": (self.text_encoder,),
            "denoiser": (*self.denoisers, *adapter) if self.denoisers else (None,),
            "vae": (self.vae,),
        }
        return {name: networks for name, networks in parts.items() if networks[0] is not None}

    @torch.no_grad()
    def encode_prompt(self, prompt: str, audio_tokens: AudioTokens | None, num_frames: int) -> FrameContext:
        """See `Backbone.encode_prompt`: one text for all latent frames, audio tokens beside it."""
        frames = self.spec.grid(num_frames, *self.spec.native_size).frames
        states = self.encode_captions([prompt])
        index = torch.zeros(frames, dtype=torch.int64)
        if audio_tokens is None:
            return FrameContext(states, index)
        if audio_tokens.num_frames != num_frames:
            raise A2VError(
                f"The audio tokens are for {audio_tokens.num_frames} frames, but {num_frames} frames are "
                "asked for: set both to the same number (0 in the sampler means: as the tokens)"
            )
        words = {word: rows[None] for word, rows in audio_tokens.words.items()}
        return FrameContext(states, index, self._tokens(words)[0])

    def encode_texts(self, prompts: Sequence[str], words: Mapping[str, Tensor]) -> ContextBatch:
        """See `Backbone.encode_texts`; gradients flow into the words and into the adapter."""
        return self.context_of(self.encode_captions(prompts), words, torch.ones(len(prompts), 1))

    def encode_captions(self, prompts: Sequence[str]) -> Tensor:
        """See `AudioAdapted.encode_captions`."""
        return text.encode_texts(self.text_encoder, self.tokenizer, prompts)

    def context_of(self, states: Tensor, words: Mapping[str, Tensor], gate: Tensor) -> ContextBatch:
        """See `AudioAdapted.context_of`."""
        tokens = self._tokens(words)
        by_frame = states[:, None].expand(-1, tokens.shape[1], -1, -1)
        return ContextBatch(by_frame, tokens, gate.to(tokens.device))

    def denoise(self, x: Tensor, t: Tensor, context: ContextBatch) -> Tensor:
        """See `Backbone.denoise`: the flow."""
        denoiser = self._denoiser(t)
        weight = denoiser.patch_embedding.weight  # others stay float32 in a model in half precision
        count = len(context)
        x = x.to(weight.device, weight.dtype).expand(count, -1, -1, -1, -1)
        t = t.to(weight.device).reshape(-1).expand(count)
        states = context.states[:, 0].to(weight.device, weight.dtype)
        with self._audio(denoiser, context, weight):
            flow: Tensor = denoiser(x, t, states, return_dict=False)[0]
        return flow

    def decode(self, latents: Tensor, chunk: int = 1) -> Iterator[Tensor]:
        """See `vae.decode`: always one latent frame at a time, since all are the same work."""
        return vae.decode(self.vae, latents)

    def encode(self, frames: Tensor, chunk: int = 1) -> Tensor:
        """See `vae.encode`. A2VError for a length or size that the model does not have."""
        self.spec.grid(frames.shape[0], frames.shape[2], frames.shape[1])
        return vae.encode(self.vae, frames)

    def schedule(self, name: str = "unipc", steps: int = 1, seed: int = 0) -> FlowSchedule:
        """See `Backbone.schedule`."""
        return FlowSchedule(name, steps, seed, shift=self.shift, device=self.device)

    def work_bytes(self, part: Part, grid: Grid, branches: int = 1) -> int:
        """See `Backbone.work_bytes`."""
        if part == "text":
            return 0
        pixels = grid.height * grid.width
        if part == "vae":
            return pixels * VAE_BYTES * int(self.vae.dtype.itemsize)
        weight = self.denoisers[0].patch_embedding.weight
        return branches * grid.frames * pixels * DENOISER_BYTES * int(weight.itemsize)

    def cancel_points(self) -> Iterable[nn.Module]:
        """See `Backbone.cancel_points`."""
        return [block for denoiser in self.denoisers for block in denoiser.blocks]

    def fingerprint(self) -> bytes:
        """See `Backbone.fingerprint`."""
        found = [fingerprint_of(denoiser, denoiser.config) for denoiser in self.denoisers]
        if self.adapter is not None:
            found.append(fingerprint_of(self.adapter, {"config": self.adapter.config.to_json()}))
        return b"".join([*found, f"{self.shift} {self.boundary}".encode()])

    def recompute_activations(self) -> Callable[[], None]:
        """See `Recompute`: of the blocks, and of the layers of the adapter that is in use."""
        layers = () if self.adapter is None else self.adapter.attention.layers()
        return checkpoint_modules([*self.cancel_points(), *layers])

    def _denoiser(self, t: Tensor) -> Any:
        """The denoiser of a timestep. A2VError for a batch that belongs to both."""
        if len(self.denoisers) == 1:
            return self.denoisers[0]
        noisy = (t >= self.boundary).reshape(-1)
        if bool(noisy.any()) != bool(noisy.all()):
            raise A2VError("A batch has timesteps of both denoisers of this model: draw them from one side")
        return self.denoisers[0 if bool(noisy[0]) else 1]

    def _audio(self, denoiser: Any, context: ContextBatch, like: Tensor) -> Any:
        if self.adapter is None or context.audio is None or context.gate is None:
            return nullcontext()
        audio, gate = (tensor.to(like.device, like.dtype) for tensor in (context.audio, context.gate))
        text = FrozenText(denoiser.condition_embedder.text_embedder, attrgetter("attn2"))
        return audio_in_blocks(denoiser.blocks, self.adapter, audio, gate, text)

    def _tokens(self, words: Mapping[str, Tensor]) -> Tensor:
        if self.adapter is None:
            raise A2VError(
                "There are audio tokens, but no audio adapter for this model: load one, or leave the "
                "sound out"
            )
        return self.adapter.tokens(words, self.spec)
