"""Frechet distance and Inception Score against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2v_core.errors import A2VError
from a2v_core.metrics.learned import frechet_distance, frechet_of_features, inception_score


@given(st.floats(-3, 3), st.floats(0.1, 3), st.floats(-3, 3), st.floats(0.1, 3))
def test_frechet_of_two_normal_distributions(a: float, spread_a: float, b: float, spread_b: float) -> None:
    found = frechet_distance(
        np.array([a]), np.array([[spread_a**2]]), np.array([b]), np.array([[spread_b**2]])
    )
    assert found == pytest.approx((a - b) ** 2 + (spread_a - spread_b) ** 2, abs=1e-9)


def test_frechet_of_commuting_covariances() -> None:
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    one, other = rng.uniform(0.1, 2, 5), rng.uniform(0.1, 2, 5)
    mean_a, mean_b = rng.normal(size=5), rng.normal(size=5)
    expected = ((mean_a - mean_b) ** 2).sum() + ((np.sqrt(one) - np.sqrt(other)) ** 2).sum()
    found = frechet_distance(mean_a, (turn * one) @ turn.T, mean_b, (turn * other) @ turn.T)
    assert found == pytest.approx(expected)


def test_frechet_of_general_covariances_equals_the_matrix_root() -> None:
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(1)
    a, b = (np.cov(rng.normal(size=(40, 6)) @ rng.normal(size=(6, 6)), rowvar=False) for _ in range(2))
    expected = np.trace(a + b - 2 * np.real(sqrtm(a @ b)))
    assert frechet_distance(np.zeros(6), a, np.zeros(6), b) == pytest.approx(expected)


def test_frechet_of_samples_nears_the_truth_and_is_0_for_the_same() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(0, 1, (20000, 3)), rng.normal(1, 2, (20000, 3))
    assert frechet_of_features(a, b) == pytest.approx(3 + 3, rel=0.05)
    assert frechet_of_features(a, a) == pytest.approx(0, abs=1e-9)
    few = rng.normal(size=(5, 30))  # fewer samples than dimensions: no full rank
    assert frechet_of_features(few, few) == pytest.approx(0, abs=1e-6)
    with pytest.raises(A2VError, match="at least 2 videos"):
        frechet_of_features(a[:1], b)
    with pytest.raises(A2VError, match="width 3 and 2"):
        frechet_of_features(a, b[:, :2])


def test_inception_score_of_known_distributions() -> None:
    assert inception_score(np.full((12, 4), 0.25))[0] == pytest.approx(1)
    assert inception_score(np.tile(np.eye(5), (6, 1)))[0] == pytest.approx(5)
    assert inception_score(np.tile([1.0, 0.0, 0.0], (7, 1)))[0] == pytest.approx(1)
    # Two classes, each told with certainty p: exp(log 2 - H(p)).
    p = 0.8
    entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p))
    rows = np.array([[p, 1 - p], [1 - p, p]] * 10)
    assert inception_score(rows)[0] == pytest.approx(2 * np.exp(-entropy))
    mean, deviation = inception_score(np.tile(np.eye(5), (10, 1)), splits=10)
    assert (mean, deviation) == pytest.approx((5, 0))


@pytest.mark.parametrize("rows", [np.ones((3, 4)), np.array([[1.5, -0.5]]), np.zeros((0, 3))])
def test_numbers_that_are_no_probabilities_are_refused(rows: np.ndarray) -> None:
    with pytest.raises(A2VError, match="Inception Score needs"):
        inception_score(rows)
