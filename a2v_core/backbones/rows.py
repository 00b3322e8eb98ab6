"""A video as a batch of pictures, which is how samplers for image models hold one: a row for every frame.

Legend: n clips, F frames, c latent channels, h w latent size, L text positions, C text width.
"""

from __future__ import annotations

from torch import Tensor

from ..errors import A2VError
from ..prompts import ContextBatch
from .contract import Backbone


def denoise_rows(backbone: Backbone, x: Tensor, t: Tensor, texts: Tensor, clips: int) -> Tensor:
    """What a model predicts [n*F, c, h, w] for n clips that lie one behind the other, frame by frame.

    x [n*F, c, h, w]; t one timestep for all; texts [n*F, L, C], a row for every frame, or [1, L, C] for all.
    A2VError when the rows are not those of `clips` clips of one length.
    """
    if len(x) % clips or len(texts) not in (1, len(x)):
        raise A2VError(
            f"{len(x)} latents and {len(texts)} rows of text do not make {clips} clips of one length: sample "
            "a batch of as many latents as the video has frames, with a text for each or one for all"
        )
    frames = len(x) // clips
    states = texts.expand(len(x), -1, -1).unflatten(0, (clips, frames))
    noisy = x.unflatten(0, (clips, frames)).transpose(1, 2)
    return backbone.denoise(noisy, t, ContextBatch(states)).transpose(1, 2).flatten(0, 1)
