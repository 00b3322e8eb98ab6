"""Temporal context windows: the mean of the frames around every frame (paper equations 2 and 3).

Legend: B clips, F frames, D token width. A window is cut at both ends of the clip and averages what remains.
"""

from __future__ import annotations

import torch.nn.functional as nnf
from torch import Tensor


def symmetric_mean(tokens: Tensor, reach: int) -> Tensor:
    """[B, F, D] -> [B, F, D]: frames i - reach .. i + reach, as the paper's equations 2 and 3 have it."""
    return _window_mean(tokens, size=2 * reach + 1, pad=reach)


def half_open_mean(tokens: Tensor, reach: int) -> Tensor:
    """[B, F, D] -> [B, F, D]: frames i - reach .. i + reach - 1, as the published code has it."""
    return _window_mean(tokens, size=2 * reach, pad=reach)


def _window_mean(tokens: Tensor, size: int, pad: int) -> Tensor:
    frames = tokens.shape[1]
    means = nnf.avg_pool1d(tokens.transpose(1, 2), size, stride=1, padding=pad, count_include_pad=False)
    return means[..., :frames].transpose(1, 2)
