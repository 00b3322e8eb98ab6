"""The one way in which modules get another `forward` for a while.

A module has at most one replacement. The same one again changes nothing; another one is refused, because the
two would not know of each other. Weights, names and hooks of the module stay as they are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from ..errors import A2VError

Undo = Callable[[], None]


@dataclass(frozen=True)
class Replacement(ABC):
    """Takes the place of the `forward` of `module`. A copy of the module gets a copy of it."""

    about: ClassVar[str]  # what it is, in messages
    module: nn.Module

    @abstractmethod
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What runs instead."""

    def original(self, *args: Any, **kwargs: Any) -> Any:
        """The `forward` of the module's class."""
        return type(self.module).forward(self.module, *args, **kwargs)


def is_replaced(module: nn.Module) -> bool:
    """Whether a module's `forward` is not that of its class."""
    return "forward" in vars(module)


def replace_forwards(replacements: Iterable[Replacement]) -> Undo:
    """Puts replacements into their modules; returns what takes these out again.

    A2VError, before anything is changed, when a module has another replacement.
    """
    new = [one for one in replacements if vars(one.module).get("forward") != one]
    for one in new:
        if is_replaced(one.module):
            found = vars(one.module)["forward"]
            name = found.about if isinstance(found, Replacement) else "other code"
            raise A2VError(
                f"{type(one.module).__name__}: its forward is replaced by {name} already; undo that before "
                f"it is replaced by {one.about}"
            )
    for one in new:
        one.module.forward = one

    def undo() -> None:
        for one in new:
            if vars(one.module).get("forward") is one:
                del one.module.forward

    return undo
