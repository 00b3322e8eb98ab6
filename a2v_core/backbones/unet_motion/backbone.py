"""AnimateDiff (arXiv 2307.04725): Stable Diffusion 1.5 with a motion module after every spatial layer.

diffusers' UNetMotionModel takes a row of text for every frame of every clip, so text per frame needs no hook.
Its motion modules, which never see text, attend between frames; their position embedding ends at
`motion_max_seq_length` frames.

Legend: B branches or clips, c latent channels, F frames (of video and latents alike), h w latent size, L text
positions, C text width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...errors import A2VError
from ...prompts import ContextBatch
from .. import clip_unet
from ..contract import BackboneSpec, LongWork
from ..feature_cache import FeatureCache
from ..windows import Windows

FAMILY = "AnimateDiff"
NATIVE_FRAMES = 16  # of the clips that the published motion modules were trained on
NATIVE_SIZE = 512  # pixels, of Stable Diffusion 1.5: for a config that does not say


class UNetMotionBackbone(clip_unet.CLIPUNet):
    """A text-to-video model as `Backbone` asks for it; made by `load_t2v`. unet: UNetMotionModel.

    In a long video every window has the positions of a clip of its own, from the first on.
    """

    def denoise(self, x: Tensor, t: Tensor, context: ContextBatch) -> Tensor:
        """See `Backbone.denoise`. A2VError for more frames than the motion modules have positions for."""
        self._check(x.shape[2])
        self._check_texts(x, context)
        weight = next(self.unet.parameters())
        x = x.to(weight.device, weight.dtype).expand(len(context), -1, -1, -1, -1)
        texts = context.states.to(weight.device, weight.dtype).flatten(0, 1)  # [B*F, L, C]
        timestep = torch.as_tensor(t).to(weight.device)
        predicted: Tensor = self.unet(x, timestep, texts, return_dict=False)[0]
        return predicted

    def denoise_cached(self, x: Tensor, t: Tensor, context: ContextBatch, cache: FeatureCache) -> Tensor:
        """See `FeatureReuse`. A2VError as `denoise`."""
        self._check(x.shape[2])
        return super().denoise_cached(x, t, context, cache)

    def denoise_windowed(
        self, x: Tensor, t: Tensor, context: ContextBatch, windows: Windows, long: LongWork
    ) -> Tensor:
        """See `WindowedAttention`. A2VError for windows of more frames than there are positions for."""
        self._check(windows.index.shape[1])
        return super().denoise_windowed(x, t, context, windows, long)

    def _check(self, frames: int) -> None:
        most = int(self.unet.config.motion_max_seq_length)
        if frames > most:
            raise A2VError(
                f"{FAMILY} makes at most {most} frames at once, got {frames}: its motion modules have no "
                f"position for more. Make a long video, with windows of at most {most} frames; "
                f"{self.spec.native_frames} are best"
            )

    def _check_texts(self, x: Tensor, context: ContextBatch) -> None:
        frames = x.shape[2]
        if context.num_frames != frames or len(x) not in (1, len(context)):
            raise A2VError(
                f"Per-frame text of {len(context)} clips x {context.num_frames} frames does not fit latents "
                f"of {len(x)} clips x {frames} frames. Encode the prompt for as many frames as are sampled."
            )


def spec_of(unet: Mapping[str, Any], vae: Mapping[str, Any], token_width: int) -> BackboneSpec:
    """The facts of a model, from the configs of its UNet and VAE and the width of its text embeddings."""
    frames = min(NATIVE_FRAMES, int(unet["motion_max_seq_length"]))
    return clip_unet.spec_of(FAMILY, frames, NATIVE_SIZE, unet, vae, token_width)
