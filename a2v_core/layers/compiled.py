"""Modules through torch.compile, one by one.

Modules of one class share their compiled code, one for every shape; PyTorch keeps it on disk, so that later
processes start faster. Every module is one graph: what would break it is an error, not a slow path.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from .forwards import Replacement, Undo, is_replaced, replace_forwards

_SHAPES = 256  # of one class: of channels, of pictures, with one branch of guidance and with all


def compile_modules(modules: Iterable[nn.Module], backend: str = "inductor") -> Undo:
    """Let modules run compiled where no gradients are asked for; returns what undoes it.

    A module runs uncompiled while a module inside it has a replaced forward, such as kept outputs. The first
    call with a shape takes long; "inductor" needs a C++ compiler on a CPU and Triton on a GPU. Results are
    the same to rounding. Copies of a module are compiled too, and repeating it is harmless.
    `backend` is torch.compile's. Needs PyTorch 2.6 or newer.
    """
    return replace_forwards([_Compiled(module, backend) for module in modules])


@dataclass(frozen=True)
class _Compiled(Replacement):
    about = "compiled code"
    backend: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # Compiled code would not notice when a replacement inside is put in, taken out or acts differently.
        inside = (part for part in self.module.modules() if part is not self.module)
        if torch.is_grad_enabled() or any(is_replaced(part) for part in inside):
            return self.original(*args, **kwargs)
        kind: Any = type(self.module)
        return _compiled(kind, self.backend)(self.module, *args, **kwargs)


@functools.cache
def _compiled(kind: Any, backend: str) -> Callable[..., Any]:
    import torch._dynamo as dynamo

    dynamo.config.recompile_limit = max(dynamo.config.recompile_limit, _SHAPES)
    dynamo.config.accumulated_recompile_limit = max(dynamo.config.accumulated_recompile_limit, 8 * _SHAPES)
    compiled: Callable[..., Any] = torch.compile(kind.forward, fullgraph=True, dynamic=False, backend=backend)
    return compiled
