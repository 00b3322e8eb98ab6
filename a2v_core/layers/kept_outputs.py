"""Outputs of modules from an earlier evaluation, as in pyramid attention broadcast (arXiv 2408.12588).

Legend: B branches of guidance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .forwards import Replacement, replace_forwards


class KeptOutputs:
    """The last outputs of modules, for every branch of guidance; `begin` every evaluation."""

    def __init__(self) -> None:
        self._branches: tuple[str, ...] = ()
        self._reuse = False
        self._outputs: dict[tuple[nn.Module, str], Tensor] = {}

    def begin(self, branches: tuple[str, ...], *, reuse: bool) -> None:
        """An evaluation follows whose batches are these branches in this order.

        reuse: modules return the output of an earlier evaluation, if there is one for all of the branches;
        otherwise they run, and their outputs are kept.
        """
        self._branches, self._reuse = branches, reuse

    @contextmanager
    def active(self, modules: Iterable[nn.Module]) -> Iterator[None]:
        """While it lasts, outputs of these modules are kept and reused, unless gradients are enabled."""
        undo = replace_forwards([_Kept(module, self) for module in modules])
        try:
            yield
        finally:
            undo()

    def find(self, module: nn.Module) -> Tensor | None:
        """The kept output of a module, [B * n, ...], where this evaluation reuses it."""
        keys = [(module, name) for name in self._branches]
        if self._reuse and all(key in self._outputs for key in keys):
            return torch.cat([self._outputs[key] for key in keys])
        return None

    def keep(self, module: nn.Module, output: Tensor) -> None:
        """Keep the output [B * n, ...] of a module."""
        parts = output.chunk(len(self._branches))
        self._outputs |= {(module, name): part for name, part in zip(self._branches, parts, strict=True)}


@dataclass(frozen=True)
class _Kept(Replacement):
    about = "kept outputs"
    outputs: KeptOutputs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if torch.is_grad_enabled():
            return self.original(*args, **kwargs)
        kept = self.outputs.find(self.module)
        if kept is None:
            kept = self.original(*args, **kwargs)
            self.outputs.keep(self.module, kept)
        return kept
