"""Tempo, cuts on a model's grid whose sums are exact, and prompts with times in the formats of others."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2v_core.errors import A2VError
from a2v_core.signals import (
    LENGTH_GRIDS,
    PROMPT_FORMATS,
    Event,
    LengthGrid,
    Mark,
    Phrases,
    cut_list,
    event_prompts,
    find_beats,
    frame_axis,
    measure,
    parse_grid,
    prompt_relay,
)
from a2v_core.signals.cuts import (
    CutList,
    PromptTrack,
    audible,
    beat_marks,
    cut_prompts,
    cuts_record,
    cuts_table,
    joint_prompt,
    lengths_text,
    onset_marks,
    prompt_axis,
    prompt_track,
    segment_prompts,
)
from a2v_core.signals.events import Heard, Segment, SoundEvents
from tests.signals.sounds import bursts, waveform

GRIDS = [LengthGrid(), LengthGrid(8, 1), LengthGrid(4, 1), LengthGrid(17, 5)]


@pytest.mark.parametrize("bpm", [80.0, 97.3, 120.0, 151.0])
def test_tempo_and_beats_of_a_rhythm(bpm: float) -> None:
    period = 60 / bpm
    strong = [0.3 + period * n for n in range(int(20 / period))]
    weak = [time + period / 2 for time in strong]
    sound = bursts(strong, 21.0, 22050).samples + 0.3 * bursts(weak, 21.0, 22050, hertz=3000).samples
    found = find_beats(measure(waveform(sound.numpy(), 22050), ("onset", "flux")))
    assert found.tempo is not None
    assert min(abs(found.tempo / bpm - ratio) for ratio in (0.5, 1, 2)) < 0.005
    assert found.confidence >= 0.5
    assert found.second is not None
    on_beat = [min(abs(time - other) for other in strong + weak) for time in found.times]
    assert max(on_beat) < 0.005


def test_few_hits_and_silence_have_no_tempo() -> None:
    for hits in ([], [0.5, 1.0, 1.5]):
        found = find_beats(measure(bursts(hits, 3.0, 22050), ("onset", "flux")))
        assert (found.tempo, found.confidence, found.times) == (None, 0.0, ())


def test_hits_at_random_times_are_not_trusted() -> None:
    rng = np.random.default_rng(8)
    hits = np.cumsum(rng.uniform(0.15, 0.9, 60))
    found = find_beats(measure(bursts(hits.tolist(), float(hits[-1]) + 1, 22050), ("onset", "flux")))
    assert found.confidence < 0.5


@given(st.integers(1, 40), st.integers(0, 40), st.floats(0, 2000))
def test_lengths_are_on_the_grid_and_nearest(step: int, rest: int, wanted: float) -> None:
    grid = LengthGrid(step, rest)
    every = [length for length in range(1, 2200) if length >= rest and (length - rest) % step == 0]
    assert grid.nearest(wanted) in every
    assert abs(grid.nearest(wanted) - wanted) == min(abs(length - wanted) for length in every)
    whole = int(wanted)
    assert grid.at_most(whole) == max((length for length in every if length <= whole), default=0)
    assert grid.at_least(whole) == min(length for length in every if length >= whole)


def test_grids_by_name_and_form() -> None:
    assert parse_grid("LTX") == parse_grid(" 8n+1 ") == LENGTH_GRIDS["LTX (8n+1)"] == LengthGrid(8, 1)
    assert parse_grid("minimax-h3") == parse_grid("17*n + 5") == LengthGrid(17, 5)
    assert parse_grid("any") == parse_grid("n") == LengthGrid()
    for text in ("", "8", "8m+1", "8n-1"):
        with pytest.raises(A2VError, match="a form such as 8n"):
            parse_grid(text)
    with pytest.raises(A2VError, match="a step of 1 or more"):
        LengthGrid(0, 1)


def check(cuts: CutList, grid: LengthGrid, low: int, high: int) -> None:
    first = 0
    for shot in cuts.shots:
        assert shot.first == first
        assert shot.frames >= grid.shortest
        assert (shot.frames - grid.rest) % grid.step == 0
        assert shot.frames <= high
        first += shot.frames
    assert first + cuts.remainder == cuts.axis.frames
    assert 0 <= cuts.remainder < grid.step + grid.rest
    assert all(shot.frames >= low for shot in cuts.shots[:-1])


@given(
    st.sampled_from(GRIDS),
    st.sampled_from([8.0, 16.0, 23.976, 24.0, 25.0, 60.0]),
    st.integers(200, 5000),
    st.lists(st.tuples(st.floats(0, 200), st.floats(0, 1)), max_size=60),
)
def test_lengths_and_remainder_add_up(
    grid: LengthGrid, fps: float, frames: int, marks: list[tuple[float, float]]
) -> None:
    axis = frame_axis(fps, frames)
    cuts = cut_list(axis, [Mark(*mark) for mark in marks], 1.5, 6.0, grid)
    low, high = grid.at_least(int(np.ceil(1.5 * float(axis.fps)))), grid.at_most(int(6.0 * float(axis.fps)))
    check(cuts, grid, low, high)


@pytest.mark.parametrize("grid", GRIDS)
def test_cuts_do_not_drift_from_their_beats_over_ten_minutes(grid: LengthGrid) -> None:
    """Each is nearer than half a step of the grid, the last as the first."""
    axis = frame_axis(23.976, 0, 600.0)
    beats = [0.21 + 0.5 * n for n in range(1198)]
    cuts = cut_list(axis, [Mark(beat) for beat in beats], 1.0, 4.0, grid)
    off = [abs(cuts.start(shot) - shot.mark) * 23.976 for shot in cuts.shots[1:] if shot.mark is not None]
    assert len(off) > 100
    assert max(off) <= grid.step / 2 + 0.5
    assert float(np.mean(off[-20:])) <= float(np.mean(off[:20])) + grid.step / 4


def test_the_strongest_mark_in_reach_is_cut_on() -> None:
    axis = frame_axis(24, 0, 10.0)
    cuts = cut_list(axis, [Mark(1.5, 0.4), Mark(3.0, 1.0), Mark(4.0, 0.3), Mark(7.0, 0.5)], 1.0, 5.0)
    assert [round(cuts.start(shot), 2) for shot in cuts.shots] == [0, 3.0, 7.0]
    assert [shot.mark for shot in cuts.shots] == [None, 3.0, 7.0]
    assert cuts.remainder == 0


def test_without_marks_shots_are_as_long_as_they_may_be_and_the_last_is_not_too_short() -> None:
    cuts = cut_list(frame_axis(10, 0, 10.5), [], 2.0, 4.0)
    assert [shot.frames for shot in cuts.shots] == [40, 40, 25]
    assert [shot.frames for shot in cut_list(frame_axis(10, 0, 9.0), [], 2.0, 4.0).shots] == [40, 30, 20]


def test_impossible_cut_lists_are_refused() -> None:
    axis = frame_axis(24, 240)
    with pytest.raises(A2VError, match=r"no length of 17 n \+ 5 frames; make the longest shot 1\.625 s"):
        cut_list(axis, [], 1.0, 1.1, LengthGrid(17, 5))
    with pytest.raises(A2VError, match=r"Shots of 3\.0 to 2\.0 s"):
        cut_list(axis, [], 3.0, 2.0)
    with pytest.raises(A2VError, match="has 4 frames; the model makes 5 or more"):
        cut_list(frame_axis(24, 4), [], 1.0, 5.0, LengthGrid(17, 5))


def test_marks_in_silence_are_left_out() -> None:
    found = measure(bursts([1.0, 2.0], 4.0, 22050), ("onset", "loudness"))
    marks = [*onset_marks(found), Mark(3.5)]
    assert [round(mark.time, 3) for mark in audible(marks, found.curves["loudness"])] == [1.0, 2.0]


def test_every_nth_beat() -> None:
    sound = bursts([0.5 + 0.5 * n for n in range(16)], 9.0, 22050)
    beats = find_beats(measure(sound, ("onset", "flux")))
    assert [round(mark.time, 2) for mark in beat_marks(beats, every=4)] == [0.5, 2.5, 4.5, 6.5]


def test_cut_lists_as_text() -> None:
    cuts = cut_list(frame_axis(24, 0, 5.1), [Mark(2.0)], 1.0, 4.0, LengthGrid(8, 1))
    assert lengths_text(cuts) == "49, 73"
    record = json.loads(json.dumps(cuts_record(cuts)))
    assert record["shots"][1] == {
        "first_frame": 49,
        "frames": 73,
        "start": 2.041667,
        "end": 5.083333,
        "mark": 2.0,
    }
    assert (record["remainder"], record["frames"]) == (0, 122)
    assert "122 of 122 frames; 0 are left at the end" in cuts_table(cuts)


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
