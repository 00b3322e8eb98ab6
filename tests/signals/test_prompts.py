"""Prompts with times, in the formats of others."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2v_core.errors import A2VError
from a2v_core.signals import (
    PROMPT_FORMATS,
    Event,
    Phrases,
    cut_list,
    event_prompts,
    frame_axis,
    prompt_relay,
)
from a2v_core.signals.cuts import (
    PromptTrack,
    cut_prompts,
    joint_prompt,
    prompt_axis,
    prompt_track,
    segment_prompts,
)
from a2v_core.signals.events import Heard, Segment, SoundEvents


def track() -> PromptTrack:
    events = [
        Event(0.5, 1.0, (Heard("Dog", 0.9),)),
        Event(1.0, 1.0, (Heard("Dog", 0.9),)),
        Event(2.25, 1.0, (Heard("Bell", 0.9), Heard("Cat", 0.7))),
    ]
    phrases = Phrases({"Dog": 'a dog says "wow"', "*": "a {label}"})
    return event_prompts(frame_axis(24, 0, 6.5), events, phrases, "photo of {label}", quiet="an empty room")


def test_prompts_from_events() -> None:
    found = track()
    assert [(prompt.first, prompt.frames, prompt.text) for prompt in found.prompts] == [
        (0, 12, "an empty room"),
        (12, 42, 'photo of a dog says "wow"'),
        (54, 48, "photo of a bell and a cat"),
        (102, 54, "an empty room"),
    ]


def test_every_frame_has_a_text() -> None:
    found = track()
    assert found.texts() == ["an empty room", 'photo of a dog says "wow"', "photo of a bell and a cat"]
    assert found.text_numbers() == [0] * 12 + [1] * 42 + [2] * 48 + [0] * 54


def test_without_a_quiet_prompt_the_last_sound_stays() -> None:
    events = [Event(0.5, 1.0, (Heard("Dog", 0.9),)), Event(4.0, 1.0, (Heard("Cat", 0.9),)), Event(5.0, 1.0)]
    found = event_prompts(frame_axis(10, 0, 8.0), events)
    assert [(prompt.first, prompt.frames, prompt.text) for prompt in found.prompts] == [
        (0, 40, "dog"),
        (40, 40, "cat"),
    ]


def test_a_prompt_stays_for_its_shortest_time_the_first_one_too() -> None:
    def starts(first: float, quiet: str = "") -> list[tuple[int, str]]:
        times = (first, first + 0.2, first + 0.6, first + 0.9)
        events = [
            Event(time, 1.0, (Heard(name, 0.9),))
            for time, name in zip(times, ("A", "B", "C", "D"), strict=True)
        ]
        found = event_prompts(frame_axis(10, 0, 3.0), events, quiet=quiet, shortest=0.5)
        return [(prompt.first, prompt.text) for prompt in found.prompts]

    assert starts(0.0) == [(0, "a"), (6, "c")]
    assert starts(0.3) == [(0, "a"), (9, "c")]
    assert starts(0.3, "still") == [(0, "still"), (3, "a"), (9, "c")]
    assert starts(0.0, "still") == [(0, "a"), (6, "c"), (29, "still")]


def test_prompt_relay() -> None:
    relay = prompt_relay(track())
    assert relay.segment_lengths == "12, 42, 48, 54"
    assert relay.local_prompts.split(" | ")[2] == "photo of a bell and a cat"
    with pytest.raises(A2VError, match=r"separates prompts by \|"):
        prompt_relay(prompt_track(frame_axis(24, 24), [(0.0, "a | b")]))


def test_time_stamps() -> None:
    text = PROMPT_FORMATS["timestamps"](track())
    assert text.splitlines() == [
        "0:00-0:00.5: an empty room",
        '0:00.5-0:02.25: photo of a dog says "wow"',
        "0:02.25-0:04.25: photo of a bell and a cat",
        "0:04.25+: an empty room",
    ]
    long = prompt_track(frame_axis(24, 0, 700.0), [(0.0, "a"), (75.0, "b"), (600.0, "c")])
    assert PROMPT_FORMATS["timestamps"](long) == "0:00-1:15: a\n1:15-10:00: b\n10:00+: c"


def test_fizz_and_deforum_are_json() -> None:
    fizz, deforum = PROMPT_FORMATS["fizz"](track()), PROMPT_FORMATS["deforum"](track())
    expected = {
        "0": "an empty room",
        "12": 'photo of a dog says "wow"',
        "54": "photo of a bell and a cat",
        "102": "an empty room",
    }
    assert json.loads("{" + fizz + "}") == json.loads(deforum) == expected


def test_subtitles() -> None:
    blocks = PROMPT_FORMATS["srt"](track()).strip().split("\n\n")
    assert len(blocks) == 4
    assert blocks[1].splitlines() == ["2", "00:00:00,500 --> 00:00:02,250", 'photo of a dog says "wow"']
    for block in blocks:
        assert re.fullmatch(r"\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}", block.splitlines()[1])


@given(st.lists(st.tuples(st.floats(0, 700), st.text("ab", min_size=1, max_size=2)), min_size=1, max_size=40))
def test_prompts_cover_every_frame_once(starts: list[tuple[float, str]]) -> None:
    axis = frame_axis(23.976, 0, 600.0)
    found = prompt_track(axis, sorted(starts))
    assert found.prompts[0].first == 0
    assert sum(prompt.frames for prompt in found.prompts) == axis.frames
    for one, other in zip(found.prompts, found.prompts[1:], strict=False):
        assert one.first + one.frames == other.first
        assert one.text != other.text
    relay = prompt_relay(found)
    assert sum(map(int, relay.segment_lengths.split(","))) == axis.frames


def test_prompts_of_shots_and_of_sustained_sounds() -> None:
    axis = frame_axis(10, 0, 9.0)
    cuts = cut_list(axis, [], 2.0, 4.0)
    assert [(prompt.first, prompt.text) for prompt in cut_prompts(cuts, ["a", "b"]).prompts] == [
        (0, "a"),
        (40, "b"),
        (70, "a"),
    ]
    segments = [Segment(1.0, 5.0, "Rain", 0.9), Segment(3.0, 4.0, "Dog", 0.8)]
    found = segment_prompts(axis, segments, quiet="still")
    assert [(prompt.first, prompt.text) for prompt in found.prompts] == [
        (0, "still"),
        (10, "rain"),
        (30, "rain and dog"),
        (40, "rain"),
        (50, "still"),
    ]
    with pytest.raises(A2VError, match="no texts for the shots"):
        cut_prompts(cuts, [])


def test_one_prompt_names_all_that_is_heard_the_strongest_first() -> None:
    axis = frame_axis(10, 30)
    cat, dog, faint = Heard("Cat", 0.6), Heard("Dog", 0.9), Heard("Bell", 0.3)
    events = [Event(0.5, 0.8, (cat,)), Event(1.0, 1.0, (dog, cat)), Event(2.9, 0.5, (faint,))]
    phrases = Phrases({"Dog": "a dog barks"})
    found = joint_prompt(axis, events, (), phrases, "photo, {label}")
    assert [(prompt.first, prompt.frames, prompt.text) for prompt in found.prompts] == [
        (0, 30, "photo, cat and a dog barks")  # 0.8 * 0.6 + 0.6, and 0.9; a bell of 0.15 is too little
    ]
    rain = joint_prompt(axis, events, [Segment(0.0, 3.0, "Rain", 0.9)], phrases)
    assert rain.texts() == ["rain and cat and a dog barks"]
    assert joint_prompt(axis, [], quiet="still").texts() == ["still"]
    with pytest.raises(A2VError, match="Nothing is heard"):
        joint_prompt(axis, [])
    with pytest.raises(A2VError, match="have no names"):
        joint_prompt(axis, [Event(0.5, 1.0)], quiet="still")


def test_prompts_need_names_and_a_place_for_them() -> None:
    axis = frame_axis(24, 48)
    with pytest.raises(A2VError, match="have no names"):
        event_prompts(axis, [Event(0.5, 1.0)])
    with pytest.raises(A2VError, match=r"no place for the sound: write \{label\}"):
        event_prompts(axis, [], template="a dog")
    assert [prompt.text for prompt in event_prompts(axis, [], quiet="still").prompts] == ["still"]


def test_prompts_last_as_long_as_the_sound_is_said_to() -> None:
    events = (Event(0.5, 1.0, (Heard("Dog", 0.9),)), Event(2.0, 1.0, (Heard("Cat", 0.9),)))
    assert prompt_axis(SoundEvents(3.0, events), 24).frames == 72
    assert prompt_axis(SoundEvents(2.0, events), 24, 36).frames == 36
    assert prompt_axis(SoundEvents(2.001, events), 24).frames == 48  # a hit in the last half frame
    with pytest.raises(A2VError, match=r"said to end at 2 s, with its last event"):
        prompt_axis(SoundEvents(2.0, events), 24)


def test_without_a_prompt_for_quiet_what_was_heard_goes_on() -> None:
    axis = frame_axis(10, 60)
    found = segment_prompts(axis, [Segment(1.0, 2.0, "Rain", 0.9), Segment(4.0, 5.0, "Dog", 0.8)])
    assert [(prompt.first, prompt.text) for prompt in found.prompts] == [(0, "rain"), (40, "dog")]
    for nothing in (lambda: event_prompts(axis, []), lambda: segment_prompts(axis, [])):
        with pytest.raises(A2VError, match="no prompt for quiet: write one"):
            nothing()
