"""One prompt for a whole sound: for a shot, or a model that has one text for its clip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ...errors import A2VError
from ..events import Event, Phrases, Segment
from ..schedule import FrameAxis
from .prompts import NO_PHRASES, NOTHING, PromptTrack, check_names, check_template, prompt_track

LEAST_SHARE = 0.25  # of the weight of the sound that is heard most; a hit cut off at the end weighs less


def joint_prompt(
    axis: FrameAxis,
    events: Sequence[Event],
    segments: Sequence[Segment] = (),
    phrases: Phrases = NO_PHRASES,
    template: str = "{label}",
    quiet: str = "",
) -> PromptTrack:
    """A single prompt that names all that is heard, what is heard most first; `quiet` where nothing is.

    phrases, template  as in `event_prompts`
    A hit weighs its strength times its probability, a sustained sound its seconds times its probability. What
    weighs less than `LEAST_SHARE` of the heaviest is left out. A2VError where nothing has a name and there is
    no `quiet`, and for hits without names.
    """
    check_template(template)
    weights: defaultdict[str, float] = defaultdict(float)
    for event in events:
        for one in event.heard:
            weights[one.label] += event.strength * one.probability
    for segment in segments:
        weights[segment.label] += (segment.end - segment.start) * segment.probability
    if not weights:
        check_names(events)
        if not quiet:
            raise A2VError(NOTHING)
        return prompt_track(axis, [(0.0, quiet)])
    least = LEAST_SHARE * max(weights.values())
    labels = sorted(
        (label for label in weights if weights[label] >= least), key=lambda label: -weights[label]
    )
    said = " and ".join(dict.fromkeys(phrases.phrase(label) for label in labels))
    return prompt_track(axis, [(0.0, template.replace("{label}", said))])
