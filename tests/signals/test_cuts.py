"""Tempo, and cuts on a model's grid whose sums are exact."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2v_core.errors import A2VError
from a2v_core.signals import (
    LENGTH_GRIDS,
    LengthGrid,
    Mark,
    cut_list,
    find_beats,
    frame_axis,
    measure,
    parse_grid,
)
from a2v_core.signals.cuts import (
    CutList,
    audible,
    beat_marks,
    cuts_record,
    cuts_table,
    lengths_text,
    onset_marks,
)
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
