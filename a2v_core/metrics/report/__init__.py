"""HTML reports of sets of clips, and the text and timeline plot of one clip.

Names are imported when asked for: the plot does not import what scores sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...doors import lazy_door

if TYPE_CHECKING:
    from .clip_text import clip_report
    from .comparison_page import compare_page
    from .set_page import score_page
    from .takes_sheet import TakeStrip, takes_pixels
    from .timeline import timeline_pixels
    from .trial_page import selftest_page

__all__ = [
    "TakeStrip",
    "clip_report",
    "compare_page",
    "score_page",
    "selftest_page",
    "takes_pixels",
    "timeline_pixels",
]

__getattr__, __dir__ = lazy_door(
    __name__,
    {
        ".clip_text": "clip_report",
        ".comparison_page": "compare_page",
        ".trial_page": "selftest_page",
        ".set_page": "score_page",
        ".takes_sheet": "TakeStrip takes_pixels",
        ".timeline": "timeline_pixels",
    },
)
