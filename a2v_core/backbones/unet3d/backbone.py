"""The first backbone: UNet3DConditionModel with a CLIP text encoder (ModelScope 1.7b, Zeroscope v2).

Its parts are plain modules that may be moved, cast and patched one by one: device and dtype are read from
their parameters at every call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ...layers import in_bfloat16, use_cpu_layers
from ...prompts import FrameContext, encode_prompt, text_width
from .. import image_vae as vae
from ..contract import Part
from ..feature_cache import FeatureCache
from ..fingerprint import fingerprint_of
from . import per_frame
from . import whole as staged

if TYPE_CHECKING:
    from ...tokens import AudioTokens

NATIVE_FRAMES = 24  # the clips of the published adapters, and the shortest that ModelScope was trained on


@dataclass
class UNet3DBackbone:
    """A text-to-video model as the Backbone protocol asks for it; made by `load_t2v`.

    unet: diffusers UNet3DConditionModel. vae: AutoencoderKL. text_encoder: transformers CLIPTextModel.
    tokenizer: CLIPTokenizer. scheduler_config: the noise schedule that the UNet was trained on.
    """

    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    scheduler_config: Mapping[str, Any]
    native_frames: int = NATIVE_FRAMES

    def __post_init__(self) -> None:
        use_cpu_layers(self.unet)

    @property
    def device(self) -> torch.device:
        device: torch.device = next(self.unet.parameters()).device
        return device

    @property
    def token_width(self) -> int:
        return text_width(self.text_encoder)

    @property
    def latent_channels(self) -> int:
        return int(self.unet.config.in_channels)

    @property
    def vae_scale_factor(self) -> int:
        return vae.scale_factor(self.vae)

    def encode_prompt(self, prompt: str, audio_tokens: AudioTokens | None, num_frames: int) -> FrameContext:
        """See `splice.encode_prompt`."""
        return encode_prompt(self.text_encoder, self.tokenizer, prompt, audio_tokens, num_frames)

    def denoise(
        self, latents: Tensor, t: Tensor | float, context: Tensor, cache: FeatureCache | None = None
    ) -> Tensor:
        """See `per_frame.denoise`; without gradients `staged.evaluate`, which gives the same in less time."""
        weight = next(self.unet.parameters())
        if torch.is_grad_enabled() or not staged.understands(self.unet):
            return per_frame.denoise(self.unet, latents, t, context)
        t = t.to(weight.device) if isinstance(t, Tensor) else t
        latents, context = (x.to(weight.device, weight.dtype) for x in (latents, context))
        if cache is None:
            return staged.evaluate(self.unet, latents, t, context)
        with cache.attention(self.unet):
            return staged.evaluate(self.unet, latents, t, context, cache)

    def fingerprint(self) -> bytes:
        """See `Resumable.fingerprint`: of the UNet as it is now, patches on its weights included."""
        return fingerprint_of(self.unet, self.unet.config)

    def bfloat16(self, part: Part) -> AbstractContextManager[None]:
        """While it lasts, UNet or VAE computes in bfloat16. See `precision.in_bfloat16`."""
        return in_bfloat16(self.vae if part == "vae" else self.unet)

    def decode(self, latents: Tensor, chunk: int = 8) -> Tensor:
        """See `vae.decode`."""
        return vae.decode(self.vae, latents, chunk)

    def decode_chunks(self, latents: Tensor, chunk: int = 8) -> Iterator[Tensor]:
        """See `vae.decode_chunks`."""
        return vae.decode_chunks(self.vae, latents, chunk)

    def encode(self, frames: Tensor, chunk: int = 8) -> Tensor:
        """See `vae.encode`."""
        return vae.encode(self.vae, frames, chunk)
