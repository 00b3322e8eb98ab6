"""The lag over time: known lags, a known drift, known seams, and nothing where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from a2v_core.audio import Waveform
from a2v_core.errors import A2VError
from a2v_core.metrics import HeardSound, Motion, detect_motion, hear_sound, lag_over_time
from a2v_core.metrics.alignment import Lag, lag_lines, lag_record, window_lines
from a2v_core.metrics.alignment.lags import lag_between
from a2v_core.metrics.alignment.sliding import find_cuts
from training.demo_world.sounds import SAMPLE_RATE, render_sound
from training.demo_world.world import Hit, Scene, render

FPS = 24.0


def scene(number: int, seconds: float) -> Scene:
    """A rhythm that is not steady, so that it fits nowhere else."""
    rng = np.random.default_rng(number)
    times = 0.4 + np.cumsum(rng.uniform(0.36, 0.85, 60))
    hits = tuple(Hit(float(time)) for time in times if time < seconds - 0.4)
    shape, colour, wall = (("ball", "red", "navy"), ("ring", "green", "grey"), ("star", "purple", "sand"))[
        number
    ]
    return Scene(shape, colour, wall, "centre", seconds, hits)


def sound_of(part: Scene) -> HeardSound:
    samples = render_sound(part, np.random.default_rng(0), 0.003)
    return hear_sound(Waveform(torch.from_numpy(samples)[None], SAMPLE_RATE))


@pytest.fixture(scope="module")
def clip() -> tuple[Motion, HeardSound]:
    part = scene(0, 16.0)
    return detect_motion(torch.from_numpy(render(part, FPS)), FPS), sound_of(part)


@pytest.fixture(scope="module")
def joined() -> tuple[Motion, list[HeardSound]]:
    """Three clips of 6 s one after the other, and the sound of each."""
    parts = [scene(number, 6.0) for number in range(3)]
    frames = np.concatenate([render(part, FPS) for part in parts])
    return detect_motion(torch.from_numpy(frames), FPS), [sound_of(part) for part in parts]


def with_times(sound: HeardSound, times: np.ndarray) -> HeardSound:
    return sound._replace(times=tuple(float(time) for time in times))


@pytest.mark.parametrize("late", [0.0, 0.12, -0.12, 0.3])
def test_a_known_lag_is_found_within_10_ms(clip: tuple[Motion, HeardSound], late: float) -> None:
    motion, sound = clip
    lags = lag_over_time(motion, with_times(sound, np.asarray(sound.times) - late))
    assert lags.whole.ms == pytest.approx(1000 * late, abs=10)
    assert lags.whole.low_ms is not None
    assert lags.whole.high_ms is not None
    assert 0 < lags.whole.high_ms - lags.whole.low_ms < 20
    told = [window.ms for window in lags.windows if window.ms is not None]
    assert len(told) >= 0.9 * len(lags.windows) > 10
    assert told == pytest.approx([1000 * late] * len(told), abs=15)
    assert lags.whole.others_ms == ()
    assert lags.seams == ()


@pytest.mark.parametrize("slope", [0.006, -0.006])
def test_a_known_drift_is_found(clip: tuple[Motion, HeardSound], slope: float) -> None:
    motion, sound = clip
    drift = lag_over_time(motion, with_times(sound, np.asarray(sound.times) * (1 - slope))).drift
    assert drift is not None
    assert drift.told
    assert drift.ms_per_minute == pytest.approx(60_000 * slope, abs=60)
    assert drift.low < 60_000 * slope < drift.high
    still = lag_over_time(motion, sound).drift
    assert still is not None
    assert not still.told
    assert "none that can be told" in "\n".join(lag_lines(lag_record(lag_over_time(motion, sound))))


def test_the_lag_jumps_at_a_seam(joined: tuple[Motion, list[HeardSound]]) -> None:
    motion, sounds = joined
    late = (0.0, 0.12, -0.08)
    times = np.concatenate(
        [6 * n + np.asarray(one.times) - by for n, (one, by) in enumerate(zip(sounds, late, strict=True))]
    )
    lags = lag_over_time(motion, with_times(sounds[0], times))
    assert [seam.time for seam in lags.seams] == [6.0, 12.0]
    assert [seam.jump_ms for seam in lags.seams] == pytest.approx([120, -200], abs=15)
    assert all(seam.low_ms is not None and seam.low_ms < (seam.jump_ms or 0) for seam in lags.seams)
    lines = lag_lines(lag_record(lags))
    assert lines[-2].startswith("seam at 6.00 s: the picture is later after it: +1")
    assert lines[-1].startswith("seam at 12.00 s: the picture is earlier after it: -")
    # Each part has a lag of its own, and that is no drift.
    assert lags.drift is not None
    assert abs(lags.drift.ms_per_minute) < 150


def test_seams_may_be_given_and_must_lie_within_the_clip(joined: tuple[Motion, list[HeardSound]]) -> None:
    motion, sounds = joined
    assert [seam.time for seam in lag_over_time(motion, sounds[0], seams=(12.0, 3.5)).seams] == [3.5, 12.0]
    assert lag_over_time(motion, sounds[0], seams=()).seams == ()
    with pytest.raises(A2VError, match=r"A seam at 18 s is not within the clip, which is 18 s long"):
        lag_over_time(motion, sounds[0], seams=(18.0,))
    with pytest.raises(A2VError, match=r"The window is 0 s: expected a length above 0, such as 4\."):
        lag_over_time(motion, sounds[0], window=0)


def test_leaps_and_a_shaking_camera_are_no_cuts(clip: tuple[Motion, HeardSound]) -> None:
    assert find_cuts(clip[0]) == ()
    rng = np.random.default_rng(0)
    ground = np.kron(rng.random((24, 24, 3)), np.ones((4, 4, 1))).astype(np.float32)
    places = rng.integers(-3, 4, (24, 2)).cumsum(axis=0)
    shaken = np.stack([np.roll(ground, place, (0, 1)) for place in places])
    assert find_cuts(detect_motion(torch.from_numpy(shaken), FPS)) == ()
    other = np.kron(rng.random((24, 24, 3)), np.ones((4, 4, 1))).astype(np.float32)
    cut = detect_motion(torch.from_numpy(np.concatenate([shaken[:12], np.stack([other] * 12)])), FPS)
    assert find_cuts(cut) == (0.5,)


def test_unrelated_sound_has_no_lag_in_nearly_every_window(clip: tuple[Motion, HeardSound]) -> None:
    motion, sound = clip
    windows: list[Lag] = []
    for seed in range(8):
        times = np.sort(np.random.default_rng(seed).uniform(0, 16, len(sound.times)))
        windows += lag_over_time(motion, with_times(sound, times)).windows
    told = [window for window in windows if window.ms is not None]
    assert len(told) <= 0.1 * len(windows)
    assert {window.reason for window in windows} >= {"no lag stands out from chance"}


def test_a_steady_beat_names_the_beats_that_fit_too() -> None:
    beat = [0.3 + 0.4 * number for number in range(50)]
    lag = lag_between(beat, [time + 0.06 for time in beat], 0.0, 20.0)
    assert lag.ms == pytest.approx(60, abs=1e-6)
    assert list(lag.others_ms) == [-340, 460]
    assert lag.strength > 0.95 > lag.chance


def test_too_few_events_are_said() -> None:
    lag = lag_between((0.5, 1.0), (0.5, 1.0, 1.5), 0.0, 2.0)
    assert lag.ms is None
    assert lag.reason == "2 onsets and 3 motion peaks; 3 of each are needed"
    silence = hear_sound(Waveform(torch.zeros(1, 44100), 22050))
    seam_less = lag_record(lag_over_time(Motion(*3 * ((0.0,) * 24,), 12.0, 24, 64, 64), silence))
    assert lag_lines(seam_less) == ["lag: 0 onsets and 0 motion peaks; 3 of each are needed"]
    assert window_lines(seam_less) == ["0.0 to 2.0 s: 0 onsets and 0 motion peaks; 3 of each are needed"]
