"""What one step of sampling may take from an earlier one: deep features, and outputs of attention.

Legend: B branches of guidance, F video frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class FeatureCache:
    """Kept results of one sampling run, per branch of guidance; `begin` every evaluation.

    deep, attention: what is kept. shallow: how many of the last units run where deep features are kept ones.
    """

    def __init__(self, *, deep: bool, attention: bool, shallow: int) -> None:
        self.keeps_deep, self.keeps_attention, self.shallow = deep, attention, shallow
        self.branches: tuple[str, ...] = ()
        self._new_deep = self._new_attention = True
        self._deep: dict[str, Tensor] = {}
        self._attention: dict[tuple[nn.Module, str], Tensor] = {}

    def begin(self, branches: tuple[str, ...], *, deep: bool, attention: bool) -> None:
        """An evaluation of these branches follows; which results are computed anew."""
        self.branches, self._new_deep, self._new_attention = branches, deep, attention

    @property
    def has_deep(self) -> bool:
        """Whether this evaluation takes its deep features from an earlier one."""
        return self.keeps_deep and not self._new_deep and all(name in self._deep for name in self.branches)

    def keep_deep(self, features: Tensor) -> None:
        """Keeps features [B*F, ...] of the branches of this evaluation."""
        if self.keeps_deep:
            self._deep |= dict(zip(self.branches, features.chunk(len(self.branches)), strict=True))

    def deep(self) -> Tensor:
        """The features kept for the branches of this evaluation, [B*F, ...]."""
        return torch.cat([self._deep[name] for name in self.branches])

    @contextmanager
    def attention(self, unet: Any) -> Iterator[None]:
        """While it lasts, attention layers of the UNet give what they gave before where the plan says so.

        Those of its first transformer, which the branches share, run always.
        """
        blocks = [*unet.down_blocks, unet.mid_block, *unet.up_blocks] if self.keeps_attention else []
        layers = [m for block in blocks for m in block.modules() if type(m).__name__ == "Attention"]
        for layer in layers:
            layer.forward = _Broadcast(self, layer)
        try:
            yield
        finally:
            for layer in layers:
                vars(layer).pop("forward", None)

    def broadcast(self, layer: nn.Module, args: Any, kwargs: Any) -> Tensor:
        """The output of an attention layer: a kept one, or a new one that is kept."""
        keys = [(layer, name) for name in self.branches]
        if not self._new_attention and all(key in self._attention for key in keys):
            return torch.cat([self._attention[key] for key in keys])
        output: Tensor = type(layer).forward(layer, *args, **kwargs)
        self._attention |= dict(zip(keys, output.chunk(len(keys)), strict=True))
        return output


class _Broadcast:
    def __init__(self, cache: FeatureCache, layer: nn.Module) -> None:
        self._cache, self._layer = cache, layer

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._cache.broadcast(self._layer, args, kwargs)
