"""Peaks are strict local maxima of at least 0.1 px."""

import pytest

from a2v_core.metrics.alignment.peaks import local_maxima, peak_times


@pytest.mark.parametrize(
    ("curve", "indexes"),
    [
        ([], ()),
        ([1.0], ()),
        ([0.0, 1.0, 0.0], (1,)),
        ([1.0, 1.0, 0.0, 2.0], ()),  # a duplicated first value and the last one
        ([0.0, 1.0, 1.0, 0.0], ()),  # a plateau
        ([0.0, 0.1, 0.0, 0.0999, 0.0], (1,)),  # 0.1 itself counts
        ([0.0, 3.0, 2.0, 3.0, 0.0], (1, 3)),
    ],
)
def test_local_maxima(curve: list[float], indexes: tuple[int, ...]) -> None:
    assert local_maxima(curve) == indexes


def test_threshold_and_times() -> None:
    curve = [0.0, 0.05, 0.0, 2.0, 0.0]
    assert local_maxima(curve, minimum=0.0) == (1, 3)
    assert peak_times(curve, 12) == (3 / 12,)
    assert peak_times(curve, 29.97, minimum=0.01) == (1 / 29.97, 3 / 29.97)
