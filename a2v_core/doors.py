"""Lazy imports for the `__init__` of a package (PEP 562): a module is imported at the first use of a name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_door(
    package: str, exports: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` for the `__init__` of a package.

    exports  module, relative to the package -> the names that the package exports from it, space-separated
    """

    def find(name: str) -> Any:
        for module, names in exports.items():
            if name in names.split():
                return getattr(importlib.import_module(module, package), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *" ".join(exports.values()).split()})

    return find, names
