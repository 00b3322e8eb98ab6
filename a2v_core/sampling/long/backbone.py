"""A backbone that denoises videos longer than its own clips; to the sampler it is a backbone like any other.

Legend: B guidance branches, F video frames, L text positions, C text width, h w latent size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ...backbones import Backbone, Part, Windows, make_windows
from ...backbones.unet3d import Plan, denoise_long, has_layers, waiting_bytes
from ...errors import A2VError
from ...prompts import FrameContext
from .settings import LongSettings

if TYPE_CHECKING:
    from ...backbones import FeatureCache
    from ...tokens import AudioTokens


class WrappedBackbone:
    """A backbone that passes everything on to another one; what derives from it changes `denoise`."""

    def __init__(self, inner: Backbone) -> None:
        self.inner = inner
        self.scheduler_config: Mapping[str, Any] = inner.scheduler_config

    @property
    def device(self) -> torch.device:
        return self.inner.device

    @property
    def native_frames(self) -> int:
        return self.inner.native_frames

    @property
    def token_width(self) -> int:
        return self.inner.token_width

    @property
    def latent_channels(self) -> int:
        return self.inner.latent_channels

    @property
    def vae_scale_factor(self) -> int:
        return self.inner.vae_scale_factor

    def encode_prompt(self, prompt: str, audio_tokens: AudioTokens | None, num_frames: int) -> FrameContext:
        return self.inner.encode_prompt(prompt, audio_tokens, num_frames)

    def denoise(
        self, latents: Tensor, t: Tensor | float, context: Tensor, cache: FeatureCache | None = None
    ) -> Tensor:
        return self.inner.denoise(latents, t, context, cache)

    def bfloat16(self, part: Part) -> AbstractContextManager[None]:
        """While it lasts, that part of `inner` computes in bfloat16, if `inner` can."""
        convert = getattr(self.inner, "bfloat16", None)
        return nullcontext() if convert is None else convert(part)

    def decode(self, latents: Tensor, chunk: int) -> Tensor:
        return self.inner.decode(latents, chunk)

    def decode_chunks(self, latents: Tensor, chunk: int) -> Iterator[Tensor]:
        return self.inner.decode_chunks(latents, chunk)

    def encode(self, frames: Tensor, chunk: int) -> Tensor:
        return self.inner.encode(frames, chunk)


class LongBackbone(WrappedBackbone):
    """`inner` for videos of any length, as `settings` say; a video of one window is left to `inner` alone.

    Guidance branches run one after the other, on as many frames at once as all branches of one window have
    together, so that memory for work is that of a short clip. What sees no text runs once.
    A2VError for mode "attention" with a backbone whose layers are not known here.
    """

    def __init__(self, inner: Backbone, settings: LongSettings) -> None:
        super().__init__(inner)
        self.settings = settings.resolved(inner.native_frames)
        if settings.mode == "attention" and not has_layers(getattr(inner, "unet", None)):
            raise A2VError(
                "long mode 'attention' works inside a UNet3DConditionModel; "
                f"{type(inner).__name__} has none. Use mode 'model', which runs any model in windows"
            )

    def denoise(
        self, latents: Tensor, t: Tensor | float, context: Tensor, cache: FeatureCache | None = None
    ) -> Tensor:
        """See `Backbone.denoise`: latents [1 or B, 4, F, h, w], context [B, F, L, C], any F.

        `cache` counts for a video of one window only.
        """
        own = self.settings
        if not own.has_windows(latents.shape[2]):
            return self.inner.denoise(latents, t, context, cache)
        windows = make_windows(latents.shape[2], own.window, own.stride, own.closed_loop)
        if own.mode == "attention" and len(latents) == 1:
            return self._in_attention(latents, t, context, windows)
        latents = latents.expand(len(context), -1, -1, -1, -1)
        run = self._in_attention if own.mode == "attention" else self._in_windows
        branches = [slice(b, b + 1) for b in range(len(latents))]
        return torch.cat([run(latents[b], t, context[b], windows) for b in branches])

    def _in_attention(self, latents: Tensor, t: Tensor | float, texts: Tensor, windows: Windows) -> Tensor:
        unet: Any = self.inner.unet  # type: ignore[attr-defined]
        own, device = self.settings, self.device
        frames = latents[0].transpose(0, 1)
        on_cpu = own.on_cpu
        if on_cpu is None:
            free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else float("inf")
            on_cpu = waiting_bytes(unet, frames) > free / 2
        store = torch.device("cpu") if on_cpu else device
        plan = Plan(windows.to(device), own.window * len(texts), device, store, own.closed_loop)
        predicted = denoise_long(unet, frames, torch.as_tensor(t), texts, plan)
        return predicted.transpose(1, 2).to(latents.device)

    def _in_windows(self, latents: Tensor, t: Tensor | float, text: Tensor, windows: Windows) -> Tensor:
        total = torch.zeros(latents.shape, dtype=torch.float32, device=latents.device)
        shares = torch.zeros(windows.index.numel())
        for k in range(windows.places.shape[1]):
            shares[windows.places[:, k]] += windows.weights[:, k]
        for index, share in zip(windows.index, shares.reshape(windows.index.shape), strict=True):
            here = index.to(latents.device)
            part = self.inner.denoise(latents[:, :, here], t, text[:, index.to(text.device)])
            total[:, :, here] += part.to(total) * share.to(total.device)[:, None, None]
        return total
