"""The best of several takes of one sound, whether it is clearly better, and what picking itself gains."""

from .pick import Pick, TakeScore, pick_best, take_score
from .table import pick_line, take_lines, verdict_of

__all__ = ["Pick", "TakeScore", "pick_best", "pick_line", "take_lines", "take_score", "verdict_of"]
