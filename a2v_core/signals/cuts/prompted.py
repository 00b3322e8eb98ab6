"""Prompts with times of what is heard: of hits, of sustained sounds, or one of all together."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import A2VError
from ..events import Event, Phrases, Segment
from ..schedule import FrameAxis
from .joint import joint_prompt
from .prompts import NO_PHRASES, PromptTrack, event_prompts, segment_prompts

HITS, SUSTAINED, TOGETHER = "hits", "sustained sounds", "all together"
PROMPTED = (HITS, SUSTAINED, TOGETHER)
"""Of what there are prompts."""


def heard_prompts(
    prompted: str,
    axis: FrameAxis,
    events: Sequence[Event],
    segments: Sequence[Segment],
    phrases: Phrases = NO_PHRASES,
    template: str = "{label}",
    quiet: str = "",
    longest: float = 2.0,
    shortest: float = 0.5,
) -> PromptTrack:
    """`event_prompts`, `segment_prompts` or `joint_prompt`, as `prompted` says; one of `PROMPTED`."""
    if prompted == HITS:
        return event_prompts(axis, events, phrases, template, quiet, longest, shortest)
    if prompted == SUSTAINED:
        return segment_prompts(axis, segments, phrases, template, quiet)
    if prompted == TOGETHER:
        return joint_prompt(axis, events, segments, phrases, template, quiet)
    raise A2VError(f"There are no prompts of {prompted!r}: expected {', '.join(PROMPTED)}")
