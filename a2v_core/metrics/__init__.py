"""Scores of a video and its sound: `av_align` is the paper's metric, `shifted_chance` what chance gives."""

from .av_align import AVAlignResult, av_align, score_peaks
from .chance import shifted_chance
from .flow import Motion, detect_motion
from .matching import VARIANTS
from .onsets import Onsets, detect_onsets
from .optional import MissingDependency

__all__ = [
    "VARIANTS",
    "AVAlignResult",
    "MissingDependency",
    "Motion",
    "Onsets",
    "av_align",
    "detect_motion",
    "detect_onsets",
    "score_peaks",
    "shifted_chance",
]
