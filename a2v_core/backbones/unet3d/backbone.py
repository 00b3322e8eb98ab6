"""The first backbone: UNet3DConditionModel with a CLIP text encoder (ModelScope 1.7b, Zeroscope v2).

Legend: B branches or clips, c latent channels, F frames (of video and latents alike), h w latent size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...prompts import ContextBatch
from .. import clip_unet
from ..contract import BackboneSpec, LongWork
from ..feature_cache import FeatureCache
from ..windows import Windows
from . import chunked, per_frame, whole
from .temporal import Plan
from .units import attention_layers, understands

FAMILY = "UNet3D (ModelScope, Zeroscope)"
NATIVE_FRAMES = 24  # the clips of the published adapters, and the shortest that ModelScope was trained on
NATIVE_SIZE = 256  # pixels, of ModelScope: for a config that does not say


class UNet3DBackbone(clip_unet.CLIPUNet):
    """A text-to-video model as `Backbone` asks for it; made by `load_t2v`.

    unet: UNet3DConditionModel. What it can do beyond `CLIPUNet`: `FeatureReuse`, `WindowedAttention`.
    """

    def denoise(self, x: Tensor, t: Tensor, context: ContextBatch) -> Tensor:
        """See `per_frame.denoise`; without gradients `whole.evaluate`, which gives the same in less time."""
        if torch.is_grad_enabled() or t.numel() > 1 or not understands(self.unet):
            return per_frame.denoise(self.unet, x, t, context.states)
        return whole.evaluate(self.unet, *self._ready(x, t, context))

    def denoise_cached(self, x: Tensor, t: Tensor, context: ContextBatch, cache: FeatureCache) -> Tensor:
        """See `FeatureReuse`."""
        if not understands(self.unet):
            return per_frame.denoise(self.unet, x, t, context.states)
        with cache.attention(attention_layers(self.unet)):
            return whole.evaluate(self.unet, *self._ready(x, t, context), cache)

    def denoise_windowed(
        self, x: Tensor, t: Tensor, context: ContextBatch, windows: Windows, long: LongWork
    ) -> Tensor:
        """See `WindowedAttention`: as many frames at once as all texts of one window have together."""
        run = self._denoise_long
        if len(x) == 1:
            return run(x, t, context.states, windows, long)
        parts = [slice(b, b + 1) for b in range(len(x))]
        return torch.cat([run(x[b], t, context.states[b], windows, long) for b in parts])

    def _ready(self, x: Tensor, t: Tensor, context: ContextBatch) -> tuple[Tensor, Tensor, Tensor]:
        weight = next(self.unet.parameters())
        states = context.states.to(weight.device, weight.dtype)
        return x.to(weight.device, weight.dtype), torch.as_tensor(t).to(weight.device), states

    def _denoise_long(self, x: Tensor, t: Tensor, texts: Tensor, windows: Windows, long: LongWork) -> Tensor:
        device, frames = self.device, x[0].transpose(0, 1)
        on_cpu = long.on_cpu
        if on_cpu is None:
            free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else float("inf")
            on_cpu = chunked.activation_bytes(self.unet, frames) > free / 2
        kept_on = torch.device("cpu") if on_cpu else device
        plan = Plan(windows.to(device), long.window * len(texts), device, kept_on, long.closed_loop)
        predicted = chunked.denoise_long(self.unet, frames, torch.as_tensor(t), texts, plan)
        return predicted.transpose(1, 2).to(x.device)


def spec_of(unet: Mapping[str, Any], vae: Mapping[str, Any], token_width: int) -> BackboneSpec:
    """The facts of a model, from the configs of its UNet and VAE and the width of its text embeddings."""
    return clip_unet.spec_of(FAMILY, NATIVE_FRAMES, NATIVE_SIZE, unet, vae, token_width)
