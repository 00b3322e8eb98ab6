"""Doors of rooms whose files are imported when a name of theirs is asked for, and not before."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazy_door(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` for the `__init__` of a package.

    homes  module, relative to the package -> the names that the door takes from there, blanks between
    """

    def find(name: str) -> Any:
        for home, names in homes.items():
            if name in names.split():
                return getattr(importlib.import_module(home, package), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted(" ".join(homes.values()).split())

    return find, names
