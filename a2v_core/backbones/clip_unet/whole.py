"""One evaluation of a stock text-to-video UNet on all frames at once, doing nothing twice.

The order is that of `walk.py`. Branches of guidance that differ in their text alone share the
layers before the first text: the first convolution, the first temporal transformer, the first residual block
with its temporal convolution.

Legend: B branches (clips), F frames, L text positions, C text width, E width of the time embedding, c latent
channels, h w latent size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...errors import A2VError
from ...layers import is_replaced
from ..feature_cache import FeatureCache
from .walk import predict, time_embedding


def understands(unet: Any) -> bool:
    """Whether a UNet is one whose order is known here, and not compiled as a whole."""
    from diffusers import UNet3DConditionModel, UNetMotionModel

    return type(unet) in (UNet3DConditionModel, UNetMotionModel) and not is_replaced(unet)


@torch.no_grad()
def evaluate(
    unet: Any,
    latents: Tensor,
    t: Tensor | float,
    text: Tensor,
    cache: FeatureCache | None = None,
) -> Tensor:
    """What the UNet predicts for one clip under B texts per frame: [B, c, F, h, w].

    latents [1, c, F, h, w] (shared by the branches) or [B, c, F, h, w]; t one timestep; text [B, F, L, C].
    `cache` keeps the deep features of this evaluation, or gives those of an earlier one. Everything has to be
    on the UNet's device, in its dtype.
    """
    frames, branches = latents.shape[2], len(text)
    if text.shape[1] != frames or latents.shape[0] not in (1, branches):
        raise A2VError(
            f"Per-frame text of {branches} clips x {text.shape[1]} frames does not fit latents of "
            f"{latents.shape[0]} clips x {frames} frames. Encode the prompt for as many frames as are "
            "sampled."
        )
    emb = time_embedding(unet, t, latents.device, latents.dtype).expand(branches * frames, -1)
    executor = _AllFrames(text.flatten(0, 1), emb, frames)
    (predicted,) = predict(unet, executor, latents.transpose(1, 2).flatten(0, 1), cache)
    return predicted.unflatten(0, (-1, frames)).transpose(1, 2)


@dataclass(frozen=True)
class _AllFrames:
    """See `walk.Executor`. Activations have F rows while the branches share them, then B*F."""

    text: Tensor  # [B*F, L, C]
    emb: Tensor  # [B*F, E], the same row everywhere
    frames: int

    def each_frame(self, run: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        return run(x)

    def resnet(self, resnet: Any, x: Tensor, skip: Tensor | None = None) -> Tensor:
        if skip is not None:
            x = torch.cat([self._of_every_branch(x), self._of_every_branch(skip)], dim=1)
            del skip  # memory: the two are not needed any more
        made: Tensor = resnet(x, self.emb[: x.shape[0]])
        return made

    def temporal_conv(self, conv: Any, x: Tensor) -> Tensor:
        made: Tensor = conv(x, num_frames=self.frames)
        return made

    def attention(self, transformer: Any, x: Tensor) -> Tensor:
        x = self._of_every_branch(x)
        made: Tensor = transformer(x, encoder_hidden_states=self.text, return_dict=False)[0]
        return made

    def temporal_attention(self, transformer: Any, x: Tensor) -> Tensor:
        made = transformer(x, num_frames=self.frames)
        mixed: Tensor = made if isinstance(made, Tensor) else made.sample  # of a motion module it is one
        return mixed

    def for_each_text(self) -> Sequence[_AllFrames]:
        return [self]

    def _of_every_branch(self, x: Tensor) -> Tensor:
        """[F, ...] that the branches share, or [B*F, ...] already, to [B*F, ...]."""
        rows = len(self.text)
        return x if x.shape[0] == rows else x.repeat(rows // x.shape[0], *[1] * (x.ndim - 1))
