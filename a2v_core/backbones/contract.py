"""What the sampler and the nodes ask of a text-to-video model: one small protocol.

Legend: B batch, F video frames, L text positions, C text width, h w latent size, H W picture size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

from ..errors import A2VError
from ..prompts import FrameContext

if TYPE_CHECKING:
    from ..tokens import AudioTokens
    from .feature_cache import FeatureCache

Part = Literal["unet", "vae"]


class Backbone(Protocol):
    """A frozen text-to-video diffusion model that takes a text for every frame."""

    scheduler_config: Mapping[str, Any]

    @property
    def device(self) -> torch.device:
        """Where denoising runs now."""

    @property
    def native_frames(self) -> int:
        """Number of frames of the clips the model was trained on."""

    @property
    def token_width(self) -> int:
        """Width of the audio tokens that fit its text encoder."""

    @property
    def latent_channels(self) -> int:
        """Channels of its latents."""

    @property
    def vae_scale_factor(self) -> int:
        """Pixels per latent pixel, along each side."""

    def encode_prompt(self, prompt: str, audio_tokens: AudioTokens | None, num_frames: int) -> FrameContext:
        """The text of every frame, with audio tokens in the place of audio words."""

    def denoise(
        self, latents: Tensor, t: Tensor | float, context: Tensor, cache: FeatureCache | None = None
    ) -> Tensor:
        """Predicted noise (or velocity) [B, 4, F, h, w] for latents [B, 4, F, h, w], context [B, F, L, C].

        Latents of one clip [1, 4, F, h, w] go with every context. `cache` is given only by modes that take
        results of earlier steps; a backbone may ignore it.
        """

    def decode(self, latents: Tensor, chunk: int) -> Tensor:
        """Latents [F, 4, h, w] to frames [F, H, W, 3], `chunk` frames at once."""

    def decode_chunks(self, latents: Tensor, chunk: int) -> Iterator[Tensor]:
        """The same as `decode`, piece by piece."""

    def encode(self, frames: Tensor, chunk: int) -> Tensor:
        """Frames [F, H, W, 3] to latents [F, 4, h, w]."""


@runtime_checkable
class Resumable(Protocol):
    """A backbone whose sampling runs can be written down and gone on with (`long_resume.py`)."""

    def fingerprint(self) -> bytes:
        """Says models apart whose predictions may differ: by their kind, settings and weights."""


def check_size(width: int, height: int, factor: int) -> None:
    """A2VError when a picture size is not positive and divisible by `factor`; names the nearest that is."""
    for name, value in (("width", width), ("height", height)):
        if value < factor or value % factor:
            nearest = max(factor, factor * round(value / factor))
            raise A2VError(f"{name} is {value} pixels: it must be divisible by {factor}, such as {nearest}")
