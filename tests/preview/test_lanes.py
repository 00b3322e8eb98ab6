"""Pictures of events and cut lists: marks where they belong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from a2v_core.errors import A2VError
from a2v_core.preview import cuts_pixels, events_pixels
from a2v_core.signals import Event, SoundEvents
from a2v_core.signals.cuts import parse_grid, sound_cuts
from a2v_core.signals.events import Heard, Segment
from tests.signals.sounds import bursts

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

BLUE = np.array([0x00, 0x72, 0xB2])
SOUND = bursts([1.0, 2.0], 4.0, 8000)
DOG, CAT = Heard("Dog", 0.9), Heard("Cat", 0.8)
LANE = 26


def columns(lane: Pixels, colour: Any) -> list[int]:
    """Where a lane has pixels of a colour, one number for each mark."""
    found = np.flatnonzero((np.abs(lane.astype(int) - colour).sum(axis=2) < 60).any(axis=0))
    return [int(x) for x, gap in zip(found, np.diff(found, prepend=-9), strict=True) if gap > 2]


def lanes(pixels: Pixels, left: int) -> list[Pixels]:
    """The lanes right of the names, from the first one down, without their base lines."""
    tops = range(34 + 64 + 14, pixels.shape[0] - 30, LANE)
    return [pixels[top + 2 : top + LANE - 2, left:] for top in tops]


def test_every_sound_has_a_lane_with_its_hits() -> None:
    events = (Event(1.0, 1.0, (DOG, CAT)), Event(2.0, 0.5, (CAT,)), Event(3.0, 0.7))
    pixels = events_pixels(SOUND, SoundEvents(4.0, events), (Segment(2.5, 3.5, "Rain", 1.0),))
    assert pixels.shape == (34 + 64 + 14 + 4 * LANE + 30, 768, 3)
    width = 768 - 20 - 190
    dog, cat, nameless, rain = lanes(pixels, 190)
    for lane, times in ((dog, [1.0]), (cat, [1.0, 2.0]), (nameless, [3.0]), (rain, [])):
        assert columns(lane, BLUE) == pytest.approx([width * time / 4 for time in times], abs=2)
    shaded = np.flatnonzero(rain[-4, :, 1].astype(int) - rain[-4, :, 0] > 60)  # green
    assert (shaded.min(), shaded.max()) == pytest.approx((width * 2.5 / 4, width * 3.5 / 4), abs=2)


def test_sounds_beyond_the_lanes_share_the_last() -> None:
    events = tuple(Event(number / 10, 1.0, (Heard(f"sound {number}", 0.9),)) for number in range(30))
    pixels = events_pixels(SOUND, SoundEvents(4.0, events))
    found = lanes(pixels, 190)
    assert len(found) == 12
    assert [len(columns(lane, BLUE)) for lane in found] == [1] * 11 + [19]
    assert events_pixels(SOUND, SoundEvents(4.0, ()), width=384).shape == (168, 384, 3)


def test_shots_end_where_they_should() -> None:
    found = sound_cuts(SOUND, 10.0, 0, "onsets", 1, 0.5, 1.5, parse_grid("any"))
    assert [(shot.first, shot.frames) for shot in found.cuts.shots] == [(0, 10), (10, 10), (20, 15), (35, 5)]
    marks, shots = lanes(cuts_pixels(SOUND, found), 92)
    width = 768 - 20 - 92
    assert columns(marks, BLUE) == pytest.approx([width * time / 4 for time in (1.0, 2.0)], abs=2)
    row = shots[8].astype(int)
    borders = np.flatnonzero(np.abs(np.diff(row[:, 2])) > 10)
    for border in (1.0, 2.0, 3.5):
        assert np.abs(borders - width * border / 4).min() <= 2


def test_a_width_that_is_none() -> None:
    with pytest.raises(A2VError, match="width is 100 pixels: expected 384 to 8192"):
        events_pixels(SOUND, SoundEvents(4.0, ()), width=100)
