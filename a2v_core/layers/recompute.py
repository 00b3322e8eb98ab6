"""Gradient checkpointing: activations are computed again in backward instead of kept.

diffusers has none for some models, and transformers' own works only in training mode, dropout and
all. Here the forward of any module is wrapped (non-reentrant); results are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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
        hooks = _hooks(self.module)

        def run(*args: Any, **kwargs: Any) -> Any:
            with _hooked(hooks):
                return self.original(*args, **kwargs)

        return checkpoint(run, *args, use_reentrant=False, **kwargs)


_Hooks = dict[nn.Module, dict[int, Any]]


def _hooks(module: nn.Module) -> _Hooks:
    """The forward hooks of the modules in it."""
    return {inner: dict(inner._forward_hooks) for inner in module.modules() if inner is not module}


@contextmanager
def _hooked(hooks: _Hooks) -> Iterator[None]:
    """While it lasts, modules have these hooks: in backward those that they had in forward, which are gone by
    then where they were for one call alone."""
    now = {module: dict(module._forward_hooks) for module in hooks}
    try:
        for module, wanted in hooks.items():
            _give(module, wanted)
        yield
    finally:
        for module, before in now.items():
            _give(module, before)


def _give(module: nn.Module, hooks: dict[int, Any]) -> None:
    if module._forward_hooks.keys() != hooks.keys():
        module._forward_hooks.clear()
        module._forward_hooks.update(hooks)
