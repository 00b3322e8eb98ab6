"""Many clips: scored on all cores, their means with intervals, and two sets compared.

Names are imported when asked for: `start_fork_server` does not import torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...doors import lazy_door

if TYPE_CHECKING:
    from .bootstrap import SetScore
    from .compare import Comparison, compare_sets, comparison_lines
    from .pool import start_fork_server
    from .runner import SOME_BAD, Job, Outcome, available_cores, run_jobs, score_videos
    from .tables import as_json, clip_lines, set_lines, summarise, write_files
    from .videos import Video, find_everywhere, find_videos, is_single, to_score

__all__ = [
    "SOME_BAD",
    "Comparison",
    "Job",
    "Outcome",
    "SetScore",
    "Video",
    "as_json",
    "available_cores",
    "clip_lines",
    "compare_sets",
    "comparison_lines",
    "find_everywhere",
    "find_videos",
    "is_single",
    "run_jobs",
    "score_videos",
    "set_lines",
    "start_fork_server",
    "summarise",
    "to_score",
    "write_files",
]

__getattr__, __dir__ = lazy_door(
    __name__,
    {
        ".bootstrap": "SetScore",
        ".compare": "Comparison compare_sets comparison_lines",
        ".pool": "start_fork_server",
        ".runner": "SOME_BAD Job Outcome available_cores run_jobs score_videos",
        ".tables": "as_json clip_lines set_lines summarise write_files",
        ".videos": "Video find_everywhere find_videos is_single to_score",
    },
)
