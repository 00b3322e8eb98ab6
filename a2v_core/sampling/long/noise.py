"""First noise of a long video (FreeNoise, arXiv 2310.15169, section 3.2).

New noise for every frame makes every window another video: look and place of things follow the noise. So the
noise of one window repeats, shuffled in groups, and distant windows start from the same material.

Legend: F frames of the latents, c latent channels, h w latent size.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...errors import A2VError


def reschedule(noise: Tensor, num_frames: int, stride: int, generator: torch.Generator) -> Tensor:
    """Noise [1, c, n, h, w] of one window to [1, c, F, h, w]: the window, then its frames over and over.

    Every further group of `stride` frames is a new order of the group that stands n frames before it, so that
    any n frames in a row, from a multiple of `stride` on, hold the n frames of `noise` once each. For
    num_frames <= n it is the first frames of `noise`. `generator` draws the orders.
    """
    window = noise.shape[2]
    if num_frames > window and not 1 <= stride <= window:
        raise A2VError(f"stride is {stride} frames: expected 1 to {window}, the frames of new noise")
    order = list(range(min(window, num_frames)))
    while len(order) < num_frames:
        start = len(order) - window
        group = order[start : start + stride]
        order += [group[place] for place in torch.randperm(len(group), generator=generator).tolist()]
    return noise[:, :, order[:num_frames]]
