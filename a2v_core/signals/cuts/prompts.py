"""Prompts with times, from what is heard."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ...errors import A2VError
from ..events import Event, Phrases, Segment, SoundEvents
from ..schedule import FrameAxis, frame_axis
from .shots import CutList

NO_PHRASES = Phrases()
NOTHING = "Nothing is heard, and there is no prompt for quiet: write one, or choose another sound"


@dataclass(frozen=True)
class TimedPrompt:
    """`text` from frame `first` on, for `frames` frames."""

    first: int
    frames: int
    text: str


@dataclass(frozen=True)
class PromptTrack:
    """Prompts without a gap over all frames of a video."""

    axis: FrameAxis
    prompts: tuple[TimedPrompt, ...]

    def start(self, prompt: TimedPrompt) -> float:
        """Seconds at which a prompt begins."""
        return self.axis.time_of(prompt.first)

    def end(self, prompt: TimedPrompt) -> float:
        """Seconds at which it ends."""
        return self.axis.time_of(prompt.first + prompt.frames)

    def texts(self) -> list[str]:
        """The different texts, in order of their first use: what has to be encoded."""
        return list(dict.fromkeys(prompt.text for prompt in self.prompts))

    def text_numbers(self) -> list[int]:
        """For every frame the number of its text in `texts`."""
        numbers = {text: number for number, text in enumerate(self.texts())}
        return [numbers[prompt.text] for prompt in self.prompts for _ in range(prompt.frames)]


def prompt_axis(found: SoundEvents, fps: float | Fraction, frames: int = 0) -> FrameAxis:
    """The frames of a video for these events: `frames`, or as long as their sound.

    A2VError as `frame_axis`, and where the sound would end with its last event, which no frame would show.
    """
    axis = frame_axis(fps, frames, found.duration)
    if not frames and any(event.time >= found.duration for event in found.events):
        raise A2VError(
            f"The sound is said to end at {found.duration:g} s, with its last event: say how long it is (a "
            "line such as 3.0 (end)), or give the number of frames"
        )
    return axis


def event_prompts(
    axis: FrameAxis,
    events: Sequence[Event],
    phrases: Phrases = NO_PHRASES,
    template: str = "{label}",
    quiet: str = "",
    longest: float = 2.0,
    shortest: float = 0.5,
) -> PromptTrack:
    """What is heard last, until the next event or for `longest` seconds; then `quiet`.

    phrases   label -> what a prompt says for it
    template  the prompt; `{label}` in it stands for the phrase, or for several joined by "and"
    quiet     the prompt where nothing has been heard for a while; by default what was heard last
    shortest  seconds a prompt stays at least: what comes sooner is left out
    Neighbours with the same text are one. Events without a name are left out; A2VError where none has one.
    """
    check_template(template)
    named = [event for event in events if event.heard]
    if not events and not quiet:
        raise A2VError(NOTHING)
    check_names(events)
    # No sound begins with the quiet before the first one: whatever comes next may come at once.
    starts: list[tuple[float, str]] = [(-math.inf, quiet)] if quiet else []
    for number, event in enumerate(named):
        text = template.replace("{label}", " and ".join(phrases.phrase(one.label) for one in event.heard))
        starts.append((event.time, text))
        following = named[number + 1].time if number + 1 < len(named) else axis.duration
        if quiet and following - event.time > longest:
            starts.append((event.time + longest, quiet))
    return prompt_track(axis, starts, shortest)


def segment_prompts(
    axis: FrameAxis,
    segments: Sequence[Segment],
    phrases: Phrases = NO_PHRASES,
    template: str = "{label}",
    quiet: str = "",
) -> PromptTrack:
    """All sustained sounds of each moment, named together; `quiet` where there is none.

    Without a `quiet` what was heard last goes on, at the start what is heard first. A2VError where nothing
    is.
    """
    check_template(template)
    if not segments and not quiet:
        raise A2VError(NOTHING)
    times = sorted({0.0, *(segment.start for segment in segments), *(segment.end for segment in segments)})
    starts: list[tuple[float, str]] = []
    for time in times:
        heard = [phrases.phrase(segment.label) for segment in segments if segment.start <= time < segment.end]
        if heard or quiet:
            text = template.replace("{label}", " and ".join(dict.fromkeys(heard))) if heard else quiet
            starts.append((time if starts else 0.0, text))
    return prompt_track(axis, starts)


def cut_prompts(cuts: CutList, texts: Sequence[str]) -> PromptTrack:
    """A text for each shot, in turns; frames after the last shot belong to it. A2VError without a text."""
    if not texts or not cuts.shots:
        raise A2VError(
            "There are no texts for the shots: give one line for every shot, or fewer that take turns"
        )
    starts = [(cuts.start(shot), texts[number % len(texts)]) for number, shot in enumerate(cuts.shots)]
    return prompt_track(cuts.axis, starts)


def prompt_track(axis: FrameAxis, starts: Sequence[tuple[float, str]], shortest: float = 0.0) -> PromptTrack:
    """Texts from their starting times (seconds, ascending) to the next one's; the first shows from frame 0.

    shortest  seconds a text stays at least after its time: what comes sooner is left out
    Frames are those nearest to the times, lengths are their differences: they add up to the video's frames.
    """
    if not starts:
        raise A2VError("There are no prompts: expected at least one text with a time")
    kept = [(0, starts[0][1])]
    since = starts[0][0]
    for time, text in starts[1:]:
        frame = axis.frame_at(time)
        if frame <= kept[-1][0]:
            kept[-1] = (kept[-1][0], text)
            since = time
        elif frame < axis.frames and text != kept[-1][1] and time - since >= shortest - 1e-9:
            kept.append((frame, text))
            since = time
    kept = [next(group) for _, group in itertools.groupby(kept, key=lambda one: one[1])]
    ends = [frame for frame, _ in kept[1:]] + [axis.frames]
    found = [TimedPrompt(frame, end - frame, text) for (frame, text), end in zip(kept, ends, strict=True)]
    return PromptTrack(axis, tuple(found))


def check_names(events: Sequence[Event]) -> None:
    """A2VError where there are events and none has a name."""
    if events and not any(event.heard for event in events):
        raise A2VError(
            "The events have no names, so there is nothing to prompt for: give a BEATs model with a head"
        )


def check_template(template: str) -> None:
    """A2VError for a template without a place for the sound."""
    if "{label}" not in template:
        raise A2VError(
            f"The template {template!r} has no place for the sound: write {{label}} where it belongs"
        )
