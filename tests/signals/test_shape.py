"""Shaping does what its words say, keeps peaks where they are, and keyframe text holds the values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2v_core.errors import A2VError
from a2v_core.signals import Shape, keyframe_text, parse_keyframes
from a2v_core.signals.schedule import shaped

FPS = 20.0
PULSE = np.array([0, 0, 0, 0, 1.0, 0, 0, 0, 0.5, 0, 0, 0])


def result(**settings: Any) -> list[float]:
    return [round(value, 4) for value in shaped(PULSE, Shape(**settings), FPS).tolist()]


def test_without_settings_nothing_changes() -> None:
    assert result() == PULSE.tolist()


def test_release_falls_to_a_thousandth_and_attack_rises_up_to_the_peak() -> None:
    step = 1e-3 ** (1 / 2)  # 0.1 s are two frames
    fall, rise = result(release=0.1), result(attack=0.1)
    assert fall[4:8] == pytest.approx([1, step, step**2, step**3], abs=1e-4)
    assert fall[:4] == [0] * 4
    assert rise[2:6] == pytest.approx([step**2, step, 1, 0.5 * step**3], abs=1e-4)
    both = result(attack=0.1, release=0.1)
    assert both == pytest.approx(np.maximum(fall, rise), abs=1e-4)


def test_hold_keeps_a_value_before_it_falls() -> None:
    assert result(hold=0.1)[3:12] == [0, 1, 1, 1, 0, 0.5, 0.5, 0.5, 0]
    assert result(hold=0.1, release=0.05)[6:8] == pytest.approx([1, 0.001])


def test_threshold_floor_ceiling_and_gamma() -> None:
    assert result(threshold=0.6)[8] == 0
    assert result(floor=0.25)[8] == pytest.approx(1 / 3, abs=1e-4)
    assert result(ceiling=0.5)[8] == 1
    assert result(gamma=2)[8] == 0.25


def test_range_and_inversion() -> None:
    assert result(low=0.2, high=0.6)[3:5] == [0.2, 0.6]
    assert result(low=1, high=0)[3:5] == [1, 0]
    assert result(invert=True)[3:5] == [1, 0]


def test_smoothing_is_symmetric() -> None:
    lone = np.zeros(41)
    lone[20] = 1
    smooth = shaped(lone, Shape(smoothing=0.1), FPS)
    assert smooth == pytest.approx(smooth[::-1])
    assert int(np.argmax(smooth)) == 20
    assert float(smooth.sum()) == pytest.approx(1)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=60),
    st.floats(0, 2),
    st.floats(0, 2),
    st.floats(0, 1),
    st.floats(0, 0.5),
)
def test_nothing_leaves_the_range_and_no_value_is_lowered(
    values: list[float], attack: float, release: float, hold: float, smoothing: float
) -> None:
    plain = np.array(values)
    up = shaped(plain, Shape(attack=attack, release=release, hold=hold), 24.0)
    assert (up >= plain - 1e-12).all()
    ranged = shaped(
        plain, Shape(attack=attack, release=release, hold=hold, smoothing=smoothing, low=-1, high=2), 24.0
    )
    assert ranged.min() >= -1 - 1e-9
    assert ranged.max() <= 2 + 1e-9


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"attack": -0.1}, "attack is -0.1 s: expected 0 or more"),
        ({"gamma": 0}, "gamma is 0"),
        ({"floor": 0.5, "ceiling": 0.5}, "floor 0.5 must be below ceiling 0.5"),
        ({"release": float("nan")}, "release is nan: expected a finite number"),
    ],
)
def test_impossible_shapes_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(A2VError, match=says):
        Shape(**settings)


def test_keyframes_as_people_write_them() -> None:
    assert (
        keyframe_text(np.array([0, 0, 0, 0.8, 0, 0]))
        == "0:(0.000), 2:(0.000), 3:(0.800), 4:(0.000), 5:(0.000)"
    )
    assert keyframe_text(np.linspace(0, 1, 11)) == "0:(0.000), 10:(1.000)"
    assert keyframe_text(np.array([0.5])) == "0:(0.500)"
    assert parse_keyframes("0:(0.0), 12:(0.8)", 25)[[0, 6, 12, 24]] == pytest.approx([0, 0.4, 0.8, 0.8])
    assert parse_keyframes(" 4 : ( -1e-1 ),0:(.5)\n", 5) == pytest.approx([0.5, 0.35, 0.2, 0.05, -0.1])


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=80))
def test_keyframes_hold_every_value(values: list[float]) -> None:
    found = parse_keyframes(keyframe_text(np.array(values)), len(values))
    assert found == pytest.approx(np.array(values), abs=0.0011)


@pytest.mark.parametrize("text", ["", " , ", "0:(sin(t))", "0:0.5", "0.5", "a:(1)", "0:(1) 5:(2)"])
def test_text_that_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(A2VError, match="expected FRAME:"):
        parse_keyframes(text, 10)
