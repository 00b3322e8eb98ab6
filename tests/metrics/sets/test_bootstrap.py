"""Sets of clips: mean, bootstrap interval, undefined clips counted, paired differences."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2v_core.metrics.sets.bootstrap import paired_difference, set_score

SCORES = st.lists(st.none() | st.floats(0, 1), max_size=20)


def test_mean_and_interval_of_a_known_sample() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0.5, 0.1, 400)
    found = set_score((float(value), "") for value in values)
    assert found.mean == pytest.approx(values.mean())
    # The bootstrap interval of a mean is close to the normal one: 1.96 standard errors either way.
    error = values.std() / 20
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)
    assert (found.count, found.undefined) == (400, {})


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(100):
        found = set_score((float(value), "") for value in rng.uniform(0, 1, 60))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.5 <= found.high
    assert 88 <= covered <= 100


def test_undefined_clips_are_counted_by_reason_and_not_averaged() -> None:
    clips = [(1.0, ""), (None, "silent"), (0.5, ""), (None, "still"), (None, "silent"), (float("nan"), "")]
    found = set_score(clips)
    assert (found.mean, found.count) == (0.75, 2)
    assert found.undefined == {"silent": 2, "still": 1, "undefined": 1}


def test_empty_and_single() -> None:
    assert set_score([]).mean is None
    one = set_score([(0.3, "")])
    assert (one.mean, one.low, one.high, one.count) == (0.3, None, None, 1)
    assert paired_difference([None], [0.4]).count == 0
    assert paired_difference([0.1], [0.4]).low is None


@given(SCORES, st.randoms(use_true_random=False))
def test_the_order_of_clips_does_not_matter(scores: list[float | None], chooser: random.Random) -> None:
    clips = [(score, "why" if score is None else "") for score in scores]
    mixed = clips.copy()
    chooser.shuffle(mixed)
    assert set_score(mixed) == set_score(clips)


@given(st.lists(st.tuples(st.none() | st.floats(0, 1), st.none() | st.floats(0, 1)), max_size=20))
def test_a_comparison_turned_round_changes_its_sign(pairs: list[tuple[float | None, float | None]]) -> None:
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    one, other = paired_difference(a, b), paired_difference(b, a)
    assert one.count == other.count == sum(x is not None and y is not None for x, y in pairs)
    if one.difference is not None:
        assert other.difference == pytest.approx(-one.difference, abs=1e-12)


def test_paired_differences_see_what_means_do_not() -> None:
    rng = np.random.default_rng(2)
    clips = rng.uniform(0, 1, 50)
    better = clips + 0.05 + rng.normal(0, 0.02, 50)
    found = paired_difference(clips.tolist(), better.tolist())
    assert found.difference == pytest.approx(0.05, abs=0.01)
    assert found.low is not None
    assert found.low > 0.03
    assert found.p_value is not None
    assert found.p_value < 0.001
    same = paired_difference(clips.tolist(), (clips + rng.normal(0, 0.1, 50)).tolist())
    assert same.p_value is not None
    assert same.p_value > 0.01
