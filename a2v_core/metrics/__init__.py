"""Scores of a video and its sound: `av_align` is the paper's metric, as published or trustworthy."""

from .av_align import av_align, score_peaks
from .chance import Chance, chance_level
from .flow import Motion, detect_motion
from .matching import VARIANTS
from .onsets import Onsets, detect_onsets
from .optional import MissingDependency
from .result import TRUSTED, AVAlignResult, shifted_chance
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
