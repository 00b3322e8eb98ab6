"""The packages of requirements.txt: what is missing is said in the log and by the nodes that need it."""

from __future__ import annotations

import importlib.util
import logging
import sys
from pathlib import Path

from ..a2v_core.errors import A2VError

_REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.txt"
_LOADER, _SCORE = "Load T2V Model", "AV-Align Score"
# module -> package, and the node that does not run without it
_NEEDED = {
    "diffusers": ("diffusers", _LOADER),
    "librosa": ("librosa", _SCORE),
    "cv2": ("opencv-python-headless", _SCORE),
}


def warn_of_missing() -> None:
    """One line in the log when packages are missing; nothing is imported for it."""
    missing = {package: node for module, (package, node) in _NEEDED.items() if not _is_there(module)}
    if missing:
        logging.warning(
            "audio-to-video: without %s the nodes %s cannot run; the others can. %s",
            ", ".join(missing),
            ", ".join(dict.fromkeys(missing.values())),
            _remedy(),
        )


def check_package(module: str) -> None:
    """A2VError with the remedy when `module`, one of those above, is not installed."""
    package, node = _NEEDED[module]
    if not _is_there(module):
        raise A2VError(f"{node} needs the package {package}, which is not installed. {_remedy()}")


def _remedy() -> str:
    return f'Install the requirements: "{sys.executable}" -m pip install -r "{_REQUIREMENTS}"'


def _is_there(module: str) -> bool:
    return module in sys.modules or importlib.util.find_spec(module) is not None
