"""The trusted score: each artefact of the published one, shown and gone."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from a2v_core.audio import Waveform
from a2v_core.audio.onsets import trusted_onsets
from a2v_core.errors import A2VError
from a2v_core.metrics import HeardSound, Motion, detect_motion, hear_sound, score_peaks, trusted_score
from a2v_core.metrics.alignment.moments import motion_curve, peak_centres, prominent_peaks
from benchmarks.av_align_study.scenes import Scene, event_times, render_frames, render_sound

EVENTS = (0.5, 1.0, 1.6, 2.3)


def moving(flow: Sequence[float] | np.ndarray, fps: float = 12.0, size: int = 384) -> Motion:
    """A motion before a still camera whose mean and whose strength are the same."""
    values = tuple(map(float, flow))
    return Motion(values, (0.0,) * len(values), values, fps, max(1, len(values)), size, size)


def bumps(times: tuple[float, ...], fps: float = 12.0, seconds: float = 3.0, size: int = 384) -> Motion:
    """Motion of 4 px at the frame after each time, 0.02 px otherwise; pixels of a picture of that size."""
    flow = np.full(round(seconds * fps), 0.02)
    for time in times:
        flow[math.ceil(time * fps)] = 4.0
    flow *= size / 384 * 12 / fps
    flow[0] = flow[1]
    return moving(flow, fps, size)


def hits(times: tuple[float, ...], seconds: float = 3.0, floor: float = 0.0) -> HeardSound:
    scene = Scene(seconds, 12, 8, (), times, sound_noise=floor)
    return hear_sound(render_sound(scene))


def test_a_perfect_pair_scores_1_and_says_how() -> None:
    result = trusted_score(bumps(EVENTS), hits(EVENTS))
    assert (result.reason, result.variant) == ("", "trusted")
    assert (result.precision, result.recall) == (1.0, 1.0)
    assert result.score is not None
    assert result.corrected is not None
    assert 0.9 < result.corrected < result.score < 1.0  # a frame of 83 ms says when only to within itself
    assert result.chance is not None
    assert 0.1 < result.chance < 0.5
    assert result.p_value is not None
    assert result.p_value < 0.15
    assert result.mean_lag_ms == pytest.approx(0, abs=50)
    assert result.tolerance == 0.17


def test_a_noise_floor_gives_no_false_onset() -> None:
    noisy = hits(EVENTS, floor=0.01)
    assert noisy.onsets.times[0] < 0.1
    assert trusted_onsets(noisy.onsets).times == pytest.approx(EVENTS, abs=0.04)
    assert noisy.times == pytest.approx(EVENTS, abs=0.004)
    motion = bumps(EVENTS)
    assert score_peaks(motion, noisy.onsets, 3.0).score == 0.8
    result = trusted_score(motion, noisy)
    assert result.score == pytest.approx(trusted_score(motion, hits(EVENTS)).score, abs=0.01)
    assert (result.precision, result.recall, result.notes) == (1.0, 1.0, ())


def test_steady_noise_has_no_onset() -> None:
    noise = 0.3 * torch.randn(1, 66150, generator=torch.Generator().manual_seed(0))
    found = hear_sound(Waveform(noise, 22050))
    assert len(found.onsets.times) == 4
    assert trusted_onsets(found.onsets).times == ()
    assert found.times == ()


def test_the_copied_first_value_is_no_neighbour() -> None:
    # Index 1 may be anything: no peak can be told there, and none is. Index 2 is judged by its own
    # neighbours.
    curve = [3.0, 3.0, 0.1, 0.1, 2.0, 0.1, 0.1]
    assert prominent_peaks(curve) == (4,)
    assert prominent_peaks([0.1, 0.1, 3.0, 0.1, 0.1, 0.1, 0.1]) == (2,)
    assert prominent_peaks([0.1] * 7) == ()
    assert prominent_peaks([0.1, 0.1, 3.0]) == ()


def test_flicker_between_motions_is_no_peak() -> None:
    motion = bumps(EVENTS)
    shaky = tuple(value + (0.15 if index % 2 else 0.0) for index, value in enumerate(motion.flow))
    noisy = replace(motion, flow=shaky, relative=shaky)
    sound = hits(EVENTS)
    assert len(score_peaks(noisy, sound.onsets, 3.0).video_peaks) > 10
    assert len(trusted_score(noisy, sound).video_peaks) == len(EVENTS)


def test_sound_past_the_end_is_not_missed() -> None:
    late = (*EVENTS, 3.4, 3.9, 4.5)
    long = hits(late, seconds=5.0)
    assert score_peaks(bumps(EVENTS), long.onsets, 5.0).score == pytest.approx(4 / 7)
    result = trusted_score(bumps(EVENTS), long)
    assert (result.precision, result.recall) == (1.0, 1.0)
    assert "3 onsets left out where no motion peak can be found" in result.notes
    assert "the sound is 2.00 s longer than the video" in result.notes


@pytest.mark.parametrize("size", [64, 384, 768])
@pytest.mark.parametrize("fps", [8.0, 12.0, 24.0, 30.0])
def test_sizes_and_frame_rates_compare(size: int, fps: float) -> None:
    result = trusted_score(bumps(EVENTS, fps, size=size), hits(EVENTS))
    assert (result.precision, result.recall) == (1.0, 1.0)
    assert result.score is not None
    assert result.score > 0.85
    assert max(result.flow) == pytest.approx(4.0)


def test_a_value_belongs_to_the_middle_of_its_two_frames() -> None:
    motion = moving((1.0, 1.0, 2.0), 10.0)
    times, speed = motion_curve(motion)
    assert times.tolist() == pytest.approx([-0.05, 0.05, 0.15])
    assert speed.tolist() == pytest.approx([10 / 12, 10 / 12, 20 / 12])
    times, speed = motion_curve(replace(motion, times=(0.0, 0.1, 0.5)))
    assert times.tolist() == pytest.approx([-0.05, 0.05, 0.3])
    assert speed.tolist() == pytest.approx([10 / 12, 10 / 12, 2 / 4.8])


def test_undefined_cases_are_none_with_the_reason() -> None:
    still = moving((0.0,) * 24, size=64)
    silent = hear_sound(Waveform(torch.zeros(1, 44100), 22050))
    assert trusted_score(bumps(EVENTS), silent).reason == "undefined: the sound is silent"
    found = trusted_score(still, hits(EVENTS))
    assert (found.score, found.chance, found.corrected, found.p_value) == (None, None, None, None)
    assert found.reason == "undefined: no motion peak in the video"
    one = moving((), size=64)
    assert trusted_score(one, hits(EVENTS)).reason.startswith("undefined: the video has one frame")
    three = moving((0.1, 0.1, 2.0), size=64)
    assert trusted_score(three, hits(EVENTS)).reason.startswith("undefined: the video has 3 frames")
    early = trusted_score(bumps(EVENTS, seconds=3.0), hits((6.0,), seconds=7.0))
    assert early.reason == "undefined: no onset in the sound while the video can be judged"


@pytest.mark.parametrize("tolerance", [0.0, -5.0, math.nan, math.inf])
def test_a_bad_tolerance_is_refused(tolerance: float) -> None:
    with pytest.raises(A2VError, match="The tolerance is"):
        trusted_score(bumps(EVENTS), hits(EVENTS), tolerance_ms=tolerance)


def test_matched_clips_stand_apart_from_mismatched_ones() -> None:
    matched, other = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        events = event_times(rng, 4.0)
        scene = Scene(4.0, 12, 64, events, events, seed=seed)
        motion = detect_motion(render_frames(scene), 12)
        matched.append(trusted_score(motion, hear_sound(render_sound(scene))).corrected)
        wrong = replace(scene, sound=event_times(rng, 4.0))
        other.append(trusted_score(motion, hear_sound(render_sound(wrong))).corrected)
    assert min(value for value in matched if value is not None) > 0.7
    assert max(value for value in other if value is not None) < 0.6
    assert None not in matched


def test_a_motion_between_two_frames_has_its_own_time() -> None:
    """Its shares of the two values say when it was."""
    times = np.arange(8) / 10
    curve = np.array([0.0, 0.0, 0.0, 3.0, 1.0, 0.0, 0.0, 0.0])
    assert peak_centres(times, curve, (3,)) == pytest.approx((0.325,))
    assert peak_centres(times, curve + 0.5, (3,)) == pytest.approx((0.325,))
    rising_again = np.array([0.0, 0.0, 0.0, 3.0, 1.0, 2.0, 0.0, 0.0])
    assert peak_centres(times, rising_again, (3,)) == pytest.approx((0.325,))


def test_the_score_falls_with_every_step_of_delay() -> None:
    events, motion = np.array(EVENTS), bumps(EVENTS, fps=24.0)
    values = [
        trusted_score(motion, hits(tuple(events + late))).score for late in (0.0, 0.05, 0.1, 0.15, 0.25)
    ]
    assert all(a is not None and b is not None and a > b + 0.02 for a, b in itertools.pairwise(values))
    early = trusted_score(motion, hits(tuple(events - 0.1))).score
    assert early is not None
    assert values[0] is not None
    assert early < values[0] - 0.1


def test_a_shaking_camera_is_no_motion() -> None:
    """What moves relative to it is: a published score sees the shaking alone."""
    rng = np.random.default_rng(4)
    scene = Scene(4.0, 12, 96, (0.8, 1.7, 2.6, 3.3), (0.8, 1.7, 2.6, 3.3), pixel_noise=0.0, drift=0.0)
    frames, steps = render_frames(scene), rng.integers(-2, 3, (48, 2))
    shaken = torch.stack(
        [torch.roll(frame, tuple(map(int, step)), (0, 1)) for frame, step in zip(frames, steps, strict=True)]
    )
    still, shaking = detect_motion(frames, 12), detect_motion(shaken, 12)
    sound = hear_sound(render_sound(scene))
    assert np.mean(shaking.flow) > 4 * np.mean(still.flow)
    found = trusted_score(shaking, sound)
    assert found.recall == 1.0
    assert found.precision is not None
    assert found.precision > 0.6
