"""What one step of sampling may take from an earlier one: deep features, and outputs of attention.

Legend: B branches of guidance, F video frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from .speed import Speed, StepPlan


class Reuse:
    """Kept results of one sampling run, per branch of guidance; `begin` every evaluation."""

    def __init__(self, speed: Speed) -> None:
        self.shallow = speed.shallow
        self.keeps_deep = speed.deep_every > 1
        self.keeps_attention = speed.attention_every > 1
        self.branches: tuple[str, ...] = ()
        self._plan = StepPlan()
        self._deep: dict[str, Tensor] = {}
        self._attention: dict[tuple[nn.Module, str], Tensor] = {}

    def begin(self, branches: tuple[str, ...], plan: StepPlan) -> None:
        """An evaluation of these branches follows."""
        self.branches, self._plan = branches, plan

    @property
    def lends_deep(self) -> bool:
        """Whether deep features are taken from an earlier step now."""
        return self.keeps_deep and not self._plan.deep and all(name in self._deep for name in self.branches)

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
        if not self._plan.attention and all(key in self._attention for key in keys):
            return torch.cat([self._attention[key] for key in keys])
        output: Tensor = type(layer).forward(layer, *args, **kwargs)
        self._attention |= dict(zip(keys, output.chunk(len(keys)), strict=True))
        return output


class _Broadcast:
    def __init__(self, reuse: Reuse, layer: nn.Module) -> None:
        self._reuse, self._layer = reuse, layer

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._reuse.broadcast(self._layer, args, kwargs)
