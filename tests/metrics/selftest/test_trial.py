"""Trials whose outcome is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from a2v_core.audio import Onsets
from a2v_core.metrics import HeardSound, Motion, detect_motion, hear_sound
from a2v_core.metrics.selftest import DetectedClip, run_trials, shortest_told, wilson
from benchmarks.av_align_study.scenes import Scene, event_times, render_frames, render_sound


def clip(number: int, fps: float = 24.0) -> DetectedClip:
    rng = np.random.default_rng([8, number])
    events = event_times(rng, 4.0)
    scene = Scene(4.0, fps, 64, events, tuple(time + 0.03 for time in events), seed=number)
    return DetectedClip(
        str(number), detect_motion(render_frames(scene), fps), hear_sound(render_sound(scene))
    )


def test_wilsons_interval() -> None:
    """The worked example of a half right in ten; all right never gives a width of zero."""
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_trusted_score_tells_its_own_sound() -> None:
    clips = [clip(number) for number in range(6)]
    results = run_trials(clips)
    trusted = results["trusted"]
    for ms in (50, 100, 200, 300, 500):
        assert trusted[f"moved {ms} ms"].accuracy == 1.0
        assert trusted[f"moved {ms} ms"].count == 12
    assert trusted["another clip's sound"].accuracy == 1.0
    assert shortest_told(trusted) == 50
    assert trusted["moved 500 ms"].auroc > 0.9


def test_undefined_scores_and_ties_are_wrong() -> None:
    """A still picture is undefined for the trusted score; a silent sound stays as it is when it is moved."""
    still = Motion(*3 * ((0.0,) * 48,), 12.0, 48, 64, 64)
    heard = clip(0).sound
    results = run_trials([DetectedClip("still", still, heard)])
    found = results["trusted"]["moved 100 ms"]
    assert (found.right, found.ties, found.undefined, found.count, found.auroc) == (0, 0, 2, 2, 0.0)
    assert "another clip's sound" not in results["trusted"]
    moving = replace(still, flow=(0.0, 0.0, 2.0) * 16)
    silent = HeardSound(Onsets((), (0.0,)), (), 4.0)
    tied = run_trials([DetectedClip("silent", moving, silent)])["reference"]["moved 100 ms"]
    assert (tied.right, tied.ties, tied.undefined) == (0, 2, 0)
    assert shortest_told(results["trusted"]) is None
