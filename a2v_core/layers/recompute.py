"""Gradient checkpointing: activations are computed again in backward instead of kept.

diffusers has none for some models, and transformers' own works only in training mode, dropout and
all. Here the forward of any module is wrapped (non-reentrant); results are the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from .forwards import Replacement, Undo, replace_forwards


def checkpoint_modules(modules: Iterable[nn.Module]) -> Undo:
    """Recompute the activations of each of these modules in backward; returns what undoes it.

    Repeating it is harmless.
    """
    return replace_forwards([_Recomputed(module) for module in modules])


@dataclass(frozen=True)
class _Recomputed(Replacement):
    about = "gradient checkpointing"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            return self.original(*args, **kwargs)
        return checkpoint(self.original, *args, use_reentrant=False, **kwargs)
