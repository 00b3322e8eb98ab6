"""Scores of a video and its sound: `av_align` is the paper's metric, as published or trustworthy.

`alignment` scores one clip, `sets` many, `report` draws pages and pictures of both, `learned` needs weights.
Names are imported when asked for, so that `python -m a2v_core.metrics` can start its processes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..doors import lazy_door

if TYPE_CHECKING:
    from ..audio import Onsets, detect_onsets
    from .alignment import (
        TRUSTED,
        VARIANTS,
        AVAlignResult,
        Chance,
        HeardSound,
        LagOverTime,
        Motion,
        av_align,
        chance_level,
        detect_motion,
        hear_sound,
        lag_over_time,
        score_peaks,
        trusted_score,
    )

__all__ = [
    "TRUSTED",
    "VARIANTS",
    "AVAlignResult",
    "Chance",
    "HeardSound",
    "LagOverTime",
    "Motion",
    "Onsets",
    "av_align",
    "chance_level",
    "detect_motion",
    "detect_onsets",
    "hear_sound",
    "lag_over_time",
    "score_peaks",
    "trusted_score",
]

__getattr__, __dir__ = lazy_door(
    __name__,
    {
        "..audio": "Onsets detect_onsets",
        ".alignment": "TRUSTED VARIANTS AVAlignResult Chance HeardSound LagOverTime Motion av_align "
        "chance_level detect_motion hear_sound lag_over_time score_peaks trusted_score",
    },
)
