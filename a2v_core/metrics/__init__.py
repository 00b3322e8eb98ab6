"""Scores of a video and its sound: `av_align` is the paper's metric, as published or trustworthy.

Names are imported when asked for, so that `python -m a2v_core.metrics` can start its processes first.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .chance import Chance, chance_level
    from .flow import Motion, detect_motion
    from .matching import VARIANTS
    from .onsets import Onsets, detect_onsets
    from .optional import MissingDependency
    from .result import TRUSTED, AVAlignResult, shifted_chance
    from .scoring import av_align, score_peaks
    from .trusted import trusted_score

__all__ = [
    "TRUSTED",
    "VARIANTS",
    "AVAlignResult",
    "Chance",
    "MissingDependency",
    "Motion",
    "Onsets",
    "av_align",
    "chance_level",
    "detect_motion",
    "detect_onsets",
    "score_peaks",
    "shifted_chance",
    "trusted_score",
]

_HOMES = {
    "chance": ("Chance", "chance_level"),
    "flow": ("Motion", "detect_motion"),
    "matching": ("VARIANTS",),
    "onsets": ("Onsets", "detect_onsets"),
    "optional": ("MissingDependency",),
    "result": ("TRUSTED", "AVAlignResult", "shifted_chance"),
    "scoring": ("av_align", "score_peaks"),
    "trusted": ("trusted_score",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f".{home}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
