"""The chance level: exact over all circular shifts, checked against closed forms and brute force."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a2v_core.metrics import AVAlignResult, av_align, chance_level
from a2v_core.metrics.alignment.matching import VARIANTS, reference

GOLDEN = Path(__file__).parents[2] / "golden" / "av_align"


def result(audio: list[float], video: list[float], fps: float, frames: int, seconds: float) -> AVAlignResult:
    score = reference(audio, video, 1 / fps)
    return AVAlignResult(
        score=score.value,
        reason="",
        variant="reference",
        audio_peaks=tuple(audio),
        video_peaks=tuple(video),
        matches=score.matches,
        flow=(),
        fps=fps,
        num_frames=frames,
        width=8,
        height=8,
        sound_seconds=seconds,
        tolerance=1 / fps,
        window=(0.0, max(seconds, frames / fps)),
    )


def brute_force(audio: list[float], video: list[float], fps: float, period: float, shifts: int) -> float:
    total = 0.0
    for k in range(shifts):
        moved = sorted((a + (k + 0.5) * period / shifts) % period for a in audio)
        total += reference(moved, video, 1 / fps).value or 0.0
    return total / shifts


def test_one_onset_and_one_motion_peak_meet_in_two_frames_out_of_all() -> None:
    assert result([0.3], [1.0], 12, 24, 2.0).chance == pytest.approx((2 / 12) / 2.0)
    # The window of a peak near the start does not go round the end.
    assert result([0.3], [0.5 / 12], 12, 24, 2.0).chance == pytest.approx((1.5 / 12) / 2.0)


def test_the_sound_goes_round_the_longer_of_sound_and_video() -> None:
    assert result([0.3], [1.0], 12, 24, 5.0).chance == pytest.approx((2 / 12) / 5.0)
    assert result([0.3], [1.0], 12, 48, 1.0).chance == pytest.approx((2 / 12) / 4.0)


@pytest.mark.parametrize("fps", [8, 12, 30])
def test_equals_brute_force(fps: int) -> None:
    chooser = random.Random(fps)
    for _ in range(8):
        audio = sorted(chooser.uniform(0, 2) for _ in range(chooser.randrange(1, 9)))
        video = [f / fps for f in sorted(chooser.sample(range(2, 2 * fps - 1), 5))]
        exact = result(audio, video, fps, 2 * fps, 2.0).chance
        assert exact == pytest.approx(brute_force(audio, video, fps, 2.0, 4000), abs=2e-3)


def test_a_long_clip_is_sampled_and_stays_close() -> None:
    chooser = random.Random(0)
    audio = sorted(chooser.uniform(0, 60) for _ in range(80))
    video = [f / 12 for f in sorted(chooser.sample(range(2, 719), 80))]
    sampled = result(audio, video, 12, 720, 60.0).chance
    assert sampled == pytest.approx(brute_force(audio, video, 12, 60.0, 3001), abs=2e-3)


def test_undefined_has_no_chance_and_one_sided_has_none_at_all() -> None:
    assert result([], [], 12, 24, 2.0).chance is None
    assert result([0.5], [], 12, 24, 2.0).chance == 0.0
    assert result([], [0.5], 12, 24, 2.0).chance == 0.0


def test_golden_sync_clips_stand_above_chance_and_the_late_one_below() -> None:
    scores = {}
    for name in ("clip0_sync_12fps", "clip6_sync_8fps", "clip3_late_24fps"):
        scored = av_align(GOLDEN / f"{name}.mp4", audio=GOLDEN / f"{name}.wav")
        chance = scored.chance
        assert scored.score is not None
        assert chance is not None
        scores[name] = (scored.score, chance)
        # Shifting the onsets beforehand changes the score but not its chance level.
        period = max(scored.sound_seconds, scored.num_frames / scored.fps)
        turned = tuple(sorted((time + 0.37) % period for time in scored.audio_peaks))
        assert replace(scored, audio_peaks=turned).chance == pytest.approx(chance, abs=1e-9)
    assert scores["clip0_sync_12fps"] == pytest.approx((0.8, 0.2700483), abs=1e-6)
    assert scores["clip6_sync_8fps"] == pytest.approx((0.75, 0.1894375), abs=1e-6)
    assert scores["clip3_late_24fps"] == pytest.approx((0.0, 0.0614467), abs=1e-6)


def simulate(rng: np.random.Generator, variant: str, clips: int) -> tuple[float, float, float]:
    """Mean score of independent peaks, mean chance level of the same clips, share of p-values up to 0.2."""
    scores, chances, small = [], [], 0
    for _ in range(clips):
        audio = sorted(rng.uniform(0, 4, rng.poisson(8) + 1).tolist())
        video = sorted(rng.uniform(0, 4, rng.poisson(8) + 1).tolist())
        rule = VARIANTS[variant]
        luck = chance_level(audio, video, 1 / 12, 0.0, 4.0, rule)
        assert luck is not None
        scores.append(rule(audio, video, 1 / 12).value or 0.0)
        chances.append(luck.mean)
        small += luck.p_value <= 0.2
    return float(np.mean(scores)), float(np.mean(chances)), small / clips


@pytest.mark.parametrize("variant", ["reference", "legacy", "paper"])
def test_chance_of_independent_peaks_is_what_simulation_gives(variant: str) -> None:
    score, chance, small = simulate(np.random.default_rng(1), variant, 400)
    assert score == pytest.approx(chance, abs=0.02)
    # A p-value of unrelated sound is 0.2 or less at most one time in five (plus three standard errors).
    assert small <= 0.2 + 3 * np.sqrt(0.2 * 0.8 / 400)


GRID = st.lists(st.integers(1, 127), unique=True, min_size=1, max_size=6).map(
    lambda ticks: sorted(t / 32 for t in ticks)
)


@given(GRID, GRID, st.sampled_from(sorted(VARIANTS)))
@settings(max_examples=60)
def test_chance_equals_brute_force_for_every_variant(
    audio: list[float], video: list[float], variant: str
) -> None:
    rule = VARIANTS[variant]
    luck = chance_level(audio, video, 0.11, 0.0, 4.0, rule)
    assert luck is not None
    at = [sorted((a + (k + 0.5) * 4.0 / 2000) % 4.0 for a in audio) for k in range(2000)]
    scores = [rule(moved, video, 0.11).value or 0.0 for moved in at]
    assert luck.mean == pytest.approx(float(np.mean(scores)), abs=0.02 * max(1.0, max(scores)))
    assert 0 < luck.p_value <= 1


@given(GRID, GRID, st.integers(1, 4000))
@settings(max_examples=60)
def test_chance_does_not_depend_on_where_the_sound_is(
    audio: list[float], video: list[float], step: int
) -> None:
    turned = sorted((a + step / 1000) % 4.0 for a in audio)
    first, second = (chance_level(side, video, 0.11, 0.0, 4.0, reference) for side in (audio, turned))
    assert first is not None
    assert second is not None
    assert first.mean == pytest.approx(second.mean, abs=1e-9)


def test_a_window_that_starts_later_is_the_same_clip_moved() -> None:
    plain = chance_level([0.5, 1.7], [0.6, 1.1], 0.1, 0.0, 2.0, reference)
    moved = chance_level([3.5, 4.7], [3.6, 4.1], 0.1, 3.0, 2.0, reference)
    assert plain is not None
    assert moved is not None
    assert (moved.mean, moved.p_value) == pytest.approx((plain.mean, plain.p_value))
