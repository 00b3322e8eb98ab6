"""AV-Align of one clip: motion peaks, onsets, and how many of them match.

Names are imported when asked for: those of `matching` come without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...doors import lazy_door

if TYPE_CHECKING:
    from .chance import Chance, chance_level
    from .clip import Record, ScoredClip, Settings, clip_curves, score_clip, score_detected, sound_of
    from .companions import cross_correlation
    from .flow import FAST_SIDE, REFERENCE_SIDE, Motion, assemble_motion, detect_motion, motion_steps
    from .heard import HeardSound, hear_sound
    from .lag_text import lag_lines, lag_record, window_lines
    from .lags import Lag
    from .matching import VARIANTS
    from .result import TRUSTED, AVAlignResult
    from .scoring import av_align, score_peaks
    from .sliding import WINDOW, LagOverTime, lag_over_time
    from .trusted import trusted_score

__all__ = [
    "FAST_SIDE",
    "REFERENCE_SIDE",
    "TRUSTED",
    "VARIANTS",
    "WINDOW",
    "AVAlignResult",
    "Chance",
    "HeardSound",
    "Lag",
    "LagOverTime",
    "Motion",
    "Record",
    "ScoredClip",
    "Settings",
    "assemble_motion",
    "av_align",
    "chance_level",
    "clip_curves",
    "cross_correlation",
    "detect_motion",
    "hear_sound",
    "lag_lines",
    "lag_over_time",
    "lag_record",
    "motion_steps",
    "score_clip",
    "score_detected",
    "score_peaks",
    "sound_of",
    "trusted_score",
    "window_lines",
]

__getattr__, __dir__ = lazy_door(
    __name__,
    {
        ".chance": "Chance chance_level",
        ".clip": "Record ScoredClip Settings clip_curves score_clip score_detected sound_of",
        ".companions": "cross_correlation",
        ".flow": "FAST_SIDE REFERENCE_SIDE Motion assemble_motion detect_motion motion_steps",
        ".heard": "HeardSound hear_sound",
        ".sliding": "WINDOW LagOverTime lag_over_time",
        ".lag_text": "lag_lines lag_record window_lines",
        ".lags": "Lag",
        ".matching": "VARIANTS",
        ".result": "TRUSTED AVAlignResult",
        ".scoring": "av_align score_peaks",
        ".trusted": "trusted_score",
    },
)
