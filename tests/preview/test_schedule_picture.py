"""The picture of a schedule: every frame's value where it is shown, below the waveform."""

from __future__ import annotations

import numpy as np

from a2v_core.drawing import PICTURE, SHADE, SOUND
from a2v_core.preview import schedule_pixels
from a2v_core.signals import Schedule, frame_axis
from tests.preview.test_picture import clicks, of_colour

LEFT, RIGHT, FLOOR, TOP = 92, 748, 232, 120  # of the curve in a picture 768 wide


def schedule(*values: float) -> Schedule:
    return Schedule(frame_axis(4, len(values)), np.array(values))


def test_a_frame_is_drawn_while_it_is_shown() -> None:
    """Two seconds at 4 fps: frame 3 reaches from 0.75 to 1 s."""
    pixels = schedule_pixels(clicks(), schedule(0, 0, 0, 1, 0, 0, 0, 0), "onset")
    assert pixels.shape == (294, 768, 3)
    line = of_colour(pixels, PICTURE)
    top = line[np.abs(line[:, 1] - TOP) <= 1][:, 0]
    second = (RIGHT - LEFT) / 2
    assert abs(top.min() - (LEFT + 0.75 * second)) <= 2
    assert abs(top.max() - (LEFT + second)) <= 2
    low = line[np.abs(line[:, 1] - FLOOR) <= 1][:, 0]
    assert abs(low[low >= LEFT].min() - LEFT) <= 2


def test_values_outside_of_0_to_1_fit() -> None:
    pixels = schedule_pixels(clicks(), schedule(-2, 3), "loudness")
    line = of_colour(pixels, PICTURE)
    assert abs(line[line[:, 0] > LEFT][:, 1].min() - TOP) <= 1
    assert abs(line[:, 1].max() - FLOOR) <= 1


def test_sound_after_the_video_is_grey() -> None:
    between = slice(101, 111)  # rows between the panels
    grey = of_colour(schedule_pixels(clicks(), schedule(0.5, 0.5), "rms")[between], SHADE, 0)
    assert abs(grey[:, 0].min() - (LEFT + (RIGHT - LEFT) / 4)) <= 2
    whole = schedule_pixels(clicks(), schedule(*[0.5] * 8), "rms")[between]
    assert (whole == 255).all()


def test_the_waveform_is_above() -> None:
    sound = of_colour(schedule_pixels(clicks(), schedule(0, 1), "rms"), SOUND)
    assert 34 < sound[:, 1].min() < sound[:, 1].max() < 98
