"""Companion measures: lag of the picture, roughness, flicker, on curves whose answer is known."""

import numpy as np
import pytest
import torch

from a2v_core.metrics import Motion, Onsets, detect_motion, detect_onsets
from a2v_core.metrics.alignment.companions import cross_correlation, steadiness
from benchmarks.av_align_study.scenes import Scene, event_times, render_frames, render_sound

HOP = 512 / 22050


def curves(late: float, fps: float = 25.0, seconds: float = 6.0) -> tuple[Motion, Onsets]:
    """Gaussian bumps in the motion, `late` seconds after those in the sound."""
    events = np.array([1.0, 1.7, 3.1, 4.4])

    def bumps(times: np.ndarray) -> np.ndarray:
        return np.exp(-(((times[:, None] - events) / 0.06) ** 2)).sum(axis=1)

    frames = (np.arange(round(seconds * fps)) - 0.5) / fps
    flow = 5 * bumps(frames - late)
    steps = np.arange(round(seconds / HOP)) * HOP
    motion = Motion(
        tuple(map(float, flow)), (0.0,) * len(flow), tuple(map(float, flow)), fps, len(flow), 384, 384
    )
    return motion, Onsets((), tuple(map(float, 20 * bumps(steps))))


@pytest.mark.parametrize("late", [-0.3, -0.1, 0.0, 0.05, 0.2, 0.4])
@pytest.mark.parametrize("fps", [12.0, 25.0])
def test_the_lag_is_found(late: float, fps: float) -> None:
    found = cross_correlation(*curves(late, fps))
    assert found.lag_ms == pytest.approx(1000 * late, abs=20)
    assert found.best is not None
    assert found.best > 0.9
    if abs(late) >= 0.2:
        assert found.at_zero is not None
        assert found.at_zero < 0.2


def test_rendered_clips_are_found_in_time() -> None:
    lags = []
    for seed in range(3):
        events = event_times(np.random.default_rng(seed), 5.0)
        scene = Scene(5.0, 24, 48, events, events, seed=seed)
        found = cross_correlation(detect_motion(render_frames(scene), 24), detect_onsets(render_sound(scene)))
        assert found.best is not None
        assert found.best > 0.7
        lags.append(found.lag_ms)
    assert all(lag is not None and abs(lag) <= 50 for lag in lags)


def test_nothing_to_correlate_is_none() -> None:
    motion, onsets = curves(0.0)
    silent = Onsets((), (0.0,) * len(onsets.envelope))
    still = Motion(*3 * ((0.0,) * 100,), 25.0, 100, 384, 384)
    short = Motion(*3 * ((1.0,) * 10,), 25.0, 10, 384, 384)
    for one, other in ((motion, silent), (still, onsets), (short, onsets)):
        found = cross_correlation(one, other)
        assert (found.best, found.lag_ms, found.at_zero) == (None, None, None)


def test_roughness_of_even_and_of_stuttering_motion() -> None:
    even = Motion((2.0,) * 20, (), (), 12.0, 20, 64, 64)
    assert steadiness(even).roughness == 0.0
    stutter = Motion(tuple(2.0 * (i % 2) for i in range(21)), (), (), 12.0, 21, 64, 64)
    assert steadiness(stutter).roughness == pytest.approx(4.0)
    assert steadiness(Motion((0.0,) * 9, (), (), 12.0, 9, 64, 64)).roughness is None


def test_flicker_sees_flashes_and_not_fades() -> None:
    fade = torch.linspace(0, 1, 11)[:, None, None, None].expand(-1, 16, 16, 3)
    assert steadiness(detect_motion(fade, 12)).flicker == pytest.approx(0, abs=0.6)
    assert steadiness(detect_motion(fade, 12)).change == pytest.approx(25.5, abs=0.1)
    flash = torch.tensor([0.2, 0.4] * 6)[:, None, None, None].expand(-1, 16, 16, 3)
    assert steadiness(detect_motion(flash, 12)).flicker == pytest.approx(2 * 51, abs=0.5)
    assert steadiness(detect_motion(flash[:1], 12)).flicker is None
