"""Prompt travel: two encoded texts, blended anew for every frame.

Legend: R rows (1, or one for every frame), F video frames, L text positions, C text width.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import A2VError


def blend_by_frame(first: Tensor, second: Tensor, weights: Tensor) -> Tensor:
    """`first` where the weight of a frame is 0, `second` where it is 1, in between the sum of both parts.

    first, second  text states [R, L, C], or pooled ones [R, C]; the shorter text is filled up with zeros, as
                   ComfyUI's ConditioningAverage does
    weights        [F]; below 0 and above 1 it goes on beyond the texts

    Returns [F, L, C] or [F, C], in the precision and on the device of `second`. A2VError for texts of
    another width or number of dimensions, and for as many rows as are neither 1 nor F.
    """
    first = first.to(second)
    if first.ndim != second.ndim or first.shape[-1] != second.shape[-1]:
        raise A2VError(
            f"the two prompts are {list(first.shape)} and {list(second.shape)}: they differ in width, "
            "so they are of different text encoders; encode both with the same CLIP"
        )
    for name, rows in (("first", len(first)), ("second", len(second))):
        if rows not in (1, len(weights)):
            raise A2VError(
                f"the {name} prompt has rows for {rows} frames, but the schedule has {len(weights)} values: "
                "make both of the same number of frames"
            )
    if first.ndim == 3:
        length = max(first.shape[1], second.shape[1])
        first, second = _filled(first, length), _filled(second, length)
    share = weights.to(second).reshape(-1, *[1] * (second.ndim - 1))
    return first * (1 - share) + second * share


def _filled(states: Tensor, length: int) -> Tensor:
    return torch.nn.functional.pad(states, (0, 0, 0, length - states.shape[1]))
