"""Optional dependencies, imported by the jobs that need them."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from .errors import A2VError

# module -> package on PyPI
PACKAGES = {"librosa": "librosa", "cv2": "opencv-python-headless"}


class MissingDependency(A2VError):
    """A package that this job needs is not installed, or does not import."""


def require(module: str, purpose: str) -> Any:
    """Import `module` for `purpose`, or raise MissingDependency with the pip command of this Python."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = PACKAGES.get(module, module)
        raise MissingDependency(
            f"{purpose} needs the package {package} ({error}). "
            f'Install it into the Python that runs this: "{sys.executable}" -m pip install {package}'
        ) from error
