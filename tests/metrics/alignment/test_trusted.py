"""The trusted score: each artefact of the published one, shown and gone."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from a2v_core.audio import Waveform
from a2v_core.audio.onsets import trusted_onsets
from a2v_core.errors import A2VError
from a2v_core.metrics import Motion, Onsets, detect_motion, detect_onsets, score_peaks, trusted_score
from a2v_core.metrics.alignment.trusted import motion_curve, prominent_peaks
from benchmarks.av_align_study.scenes import Scene, event_times, render_frames, render_sound

EVENTS = (0.5, 1.0, 1.6, 2.3)


def bumps(times: tuple[float, ...], fps: float = 12.0, seconds: float = 3.0, size: int = 384) -> Motion:
    """Motion of 4 px at the frame after each time, 0.02 px otherwise; pixels of a picture of that size."""
    flow = np.full(round(seconds * fps), 0.02)
    for time in times:
        flow[math.ceil(time * fps)] = 4.0
    flow *= size / 384 * 12 / fps
    flow[0] = flow[1]
    return Motion(tuple(map(float, flow)), fps, len(flow), size, size)


def hits(times: tuple[float, ...], seconds: float = 3.0, floor: float = 0.0) -> Onsets:
    scene = Scene(seconds, 12, 8, (), times, sound_noise=floor)
    return detect_onsets(render_sound(scene))


def test_a_perfect_pair_scores_1_and_says_how() -> None:
    result = trusted_score(bumps(EVENTS), hits(EVENTS), 3.0)
    assert (result.score, result.reason, result.variant) == (1.0, "", "trusted")
    assert (result.corrected, result.precision, result.recall) == (1.0, 1.0, 1.0)
    assert result.chance is not None
    assert 0.1 < result.chance < 0.5
    assert result.p_value is not None
    assert result.p_value < 0.15
    assert result.mean_lag_ms == pytest.approx(0, abs=50)
    assert result.tolerance == 0.125


def test_a_noise_floor_gives_no_false_onset() -> None:
    noisy = hits(EVENTS, floor=0.01)
    assert noisy.times[0] < 0.1
    assert trusted_onsets(noisy).times == pytest.approx(EVENTS, abs=0.04)
    motion = bumps(EVENTS)
    assert score_peaks(motion, noisy, 3.0).score == 0.8
    result = trusted_score(motion, noisy, 3.0)
    assert result.score == 1.0
    assert result.notes == ("1 onset left out as the sound's start or steady noise",)


def test_steady_noise_has_no_onset() -> None:
    noise = 0.3 * torch.randn(1, 66150, generator=torch.Generator().manual_seed(0))
    found = detect_onsets(Waveform(noise, 22050))
    assert len(found.times) == 4
    assert trusted_onsets(found).times == ()


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
    noisy = replace(motion, flow=shaky)
    onsets = hits(EVENTS)
    assert len(score_peaks(noisy, onsets, 3.0).video_peaks) > 10
    assert trusted_score(noisy, onsets, 3.0).score == 1.0


def test_sound_past_the_end_is_not_missed() -> None:
    late = (*EVENTS, 3.4, 3.9, 4.5)
    long = hits(late, seconds=5.0)
    assert score_peaks(bumps(EVENTS), long, 5.0).score == pytest.approx(4 / 7)
    result = trusted_score(bumps(EVENTS), long, 5.0)
    assert result.score == 1.0
    assert "3 onsets left out where no motion peak can be found" in result.notes
    assert "the sound is 2.00 s longer than the video" in result.notes


@pytest.mark.parametrize("size", [64, 384, 768])
@pytest.mark.parametrize("fps", [8.0, 12.0, 24.0, 30.0])
def test_sizes_and_frame_rates_compare(size: int, fps: float) -> None:
    result = trusted_score(bumps(EVENTS, fps, size=size), hits(EVENTS), 3.0)
    assert result.score == 1.0
    assert max(result.flow) == pytest.approx(4.0)


def test_a_value_belongs_to_the_middle_of_its_two_frames() -> None:
    motion = Motion((1.0, 1.0, 2.0), 10.0, 3, 384, 384)
    times, speed = motion_curve(motion)
    assert times.tolist() == pytest.approx([-0.05, 0.05, 0.15])
    assert speed.tolist() == pytest.approx([10 / 12, 10 / 12, 20 / 12])
    times, speed = motion_curve(replace(motion, times=(0.0, 0.1, 0.5)))
    assert times.tolist() == pytest.approx([-0.05, 0.05, 0.3])
    assert speed.tolist() == pytest.approx([10 / 12, 10 / 12, 2 / 4.8])


def test_undefined_cases_are_none_with_the_reason() -> None:
    still = Motion((0.0,) * 24, 12.0, 24, 64, 64)
    silent = detect_onsets(Waveform(torch.zeros(1, 44100), 22050))
    assert trusted_score(bumps(EVENTS), silent, 2.0).reason == "undefined: the sound is silent"
    found = trusted_score(still, hits(EVENTS), 3.0)
    assert (found.score, found.chance, found.corrected, found.p_value) == (None, None, None, None)
    assert found.reason == "undefined: no motion peak in the video"
    one = Motion((), 12.0, 1, 64, 64)
    assert trusted_score(one, hits(EVENTS), 3.0).reason.startswith("undefined: the video has one frame")
    three = Motion((0.1, 0.1, 2.0), 12.0, 3, 64, 64)
    assert trusted_score(three, hits(EVENTS), 3.0).reason.startswith("undefined: the video has 3 frames")
    early = trusted_score(bumps(EVENTS, seconds=3.0), hits((6.0,), seconds=7.0), 7.0)
    assert early.reason == "undefined: no onset in the sound while the video can be judged"


@pytest.mark.parametrize("tolerance", [0.0, -5.0, math.nan, math.inf])
def test_a_bad_tolerance_is_refused(tolerance: float) -> None:
    with pytest.raises(A2VError, match="The tolerance is"):
        trusted_score(bumps(EVENTS), hits(EVENTS), 3.0, tolerance_ms=tolerance)


def test_matched_clips_stand_apart_from_mismatched_ones() -> None:
    matched, other = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        events = event_times(rng, 4.0)
        scene = Scene(4.0, 12, 64, events, events, seed=seed)
        motion = detect_motion(render_frames(scene), 12)
        matched.append(trusted_score(motion, detect_onsets(render_sound(scene)), 4.0).corrected)
        wrong = replace(scene, sound=event_times(rng, 4.0))
        other.append(trusted_score(motion, detect_onsets(render_sound(wrong)), 4.0).corrected)
    assert min(value for value in matched if value is not None) > 0.7
    assert max(value for value in other if value is not None) < 0.6
    assert None not in matched
