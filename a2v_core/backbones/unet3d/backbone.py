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
from ..contract import BackboneSpec
from . import per_frame

FAMILY = "UNet3D (ModelScope, Zeroscope)"
NATIVE_FRAMES = 24  # the clips of the published adapters, and the shortest that ModelScope was trained on
NATIVE_SIZE = 256  # pixels, of ModelScope: for a config that does not say


class UNet3DBackbone(clip_unet.CLIPUNet):
    """A text-to-video model as `Backbone` asks for it; made by `load_t2v`. unet: UNet3DConditionModel."""

    def denoise(self, x: Tensor, t: Tensor, context: ContextBatch) -> Tensor:
        """See `per_frame.denoise`; without gradients `clip_unet.evaluate`: the same in less time."""
        if torch.is_grad_enabled() or t.numel() > 1 or not clip_unet.understands(self.unet):
            return per_frame.denoise(self.unet, x, t, context.states)
        return clip_unet.evaluate(self.unet, *self._ready(x, t, context))


def spec_of(unet: Mapping[str, Any], vae: Mapping[str, Any], token_width: int) -> BackboneSpec:
    """The facts of a model, from the configs of its UNet and VAE and the width of its text embeddings."""
    return clip_unet.spec_of(FAMILY, NATIVE_FRAMES, NATIVE_SIZE, unet, vae, token_width)
