"""Wrong sounds, made of the onsets of the right one."""

from __future__ import annotations

import numpy as np
import pytest

from a2v_core.audio import Onsets
from a2v_core.metrics import HeardSound
from a2v_core.metrics.selftest import perturbations
from a2v_core.metrics.selftest.perturbations import jittered, moved, played_at, thinned

EXACT = (0.5, 1.0, 1.6, 2.3)
SOUND = HeardSound(Onsets((0.07, 0.51, 1.02, 1.62, 2.32), (1.0,)), EXACT, 3.0)


def test_a_moved_sound_comes_in_again_at_the_other_end() -> None:
    found = moved(SOUND, 0.8)
    assert found.times == pytest.approx((0.1, 1.3, 1.8, 2.4))
    assert found.onsets.times == pytest.approx((0.12, 0.87, 1.31, 1.82, 2.42))
    assert found.seconds == 3.0
    assert moved(SOUND, -0.8).times == pytest.approx((0.2, 0.8, 1.5, 2.7))


def test_a_faster_sound_is_shorter() -> None:
    found = played_at(SOUND, 1.25)
    assert found.times == pytest.approx((0.4, 0.8, 1.28, 1.84))
    assert found.seconds == 2.4


def test_onsets_are_jittered_each_by_its_own_distance_and_the_published_ones_with_them() -> None:
    found = jittered(SOUND, np.random.default_rng(0))
    distances = np.subtract(found.times, EXACT)
    assert np.abs(distances).min() > 0.005
    assert len(set(np.round(distances, 6))) == 4
    assert np.subtract(found.onsets.times[1:], SOUND.onsets.times[1:]) == pytest.approx(distances)


def test_half_of_the_onsets_go_in_both_lists() -> None:
    found = thinned(SOUND, np.random.default_rng(0))
    assert len(found.times) == 2
    assert set(found.times) < set(EXACT)
    gone = [time for time in EXACT if time not in found.times]
    assert not any(abs(published - time) < 0.05 for published in found.onsets.times for time in gone)


def test_a_sound_without_onsets_stays_as_it_is() -> None:
    silent = HeardSound(Onsets((), (0.0,)), (), 2.0)
    for task in perturbations():
        for wrong in task.make(silent, silent, np.random.default_rng(0)):
            assert wrong.times == ()


def test_offsets_go_both_ways() -> None:
    (task,) = [task for task in perturbations() if task.offset_ms == 100]
    early, late = task.make(SOUND, SOUND, np.random.default_rng(0))
    assert early.times[0] == pytest.approx(0.4)
    assert late.times[0] == pytest.approx(0.6)
