"""What one step of sampling may take from an earlier one: deep features, and outputs of attention.

Legend: B branches of guidance, F video frames.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from ..layers import KeptOutputs


class FeatureCache:
    """Kept results of one sampling run, per branch of guidance; `begin` every evaluation.

    deep, attention: what is kept. shallow: how many of the last units run where deep features are reused.
    """

    def __init__(self, *, deep: bool, attention: bool, shallow: int) -> None:
        self.keeps_deep, self.keeps_attention, self.shallow = deep, attention, shallow
        self.branches: tuple[str, ...] = ()
        self._new_deep = True
        self._deep: dict[str, Tensor] = {}
        self._attention = KeptOutputs()

    def begin(self, branches: tuple[str, ...], *, deep: bool, attention: bool) -> None:
        """An evaluation of these branches follows; which results are computed anew."""
        self.branches, self._new_deep = branches, deep
        self._attention.begin(branches, reuse=not attention)

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

    def attention(self, layers: Iterable[nn.Module]) -> AbstractContextManager[None]:
        """While it lasts, attention layers give what they gave before, where the plan says so."""
        return self._attention.active(layers if self.keeps_attention else ())
