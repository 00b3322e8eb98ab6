"""The benchmark of long videos: what it cuts, what it counts, and the quality part on one short scene."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.long_quality import (
    Tally,
    clip_borders,
    cut,
    demo_models,
    measure_quality,
    scene_of,
    seam_ratio,
    window_borders,
)
from benchmarks.long_video import as_text
from training.demo_world.sounds import SAMPLE_RATE
from training.demo_world.world import FPS, render

pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")


def test_pieces_hold_the_whole_scene() -> None:
    scene, sound = scene_of(0, 96)
    pieces = cut(scene, sound, 24)
    assert [piece.num_frames for piece, _ in pieces] == [24] * 4
    assert sum(len(piece.hits) for piece, _ in pieces) == len(scene.hits) > 0
    assert np.array_equal(np.concatenate([part for _, part in pieces]), sound[: 8 * SAMPLE_RATE])
    whole = render(scene)
    parts = np.concatenate([render(piece) for piece, _ in pieces])
    hits = [round(hit.time * FPS) for hit in scene.hits]
    assert all(np.abs(parts[hit] - whole[hit]).mean() < 0.02 for hit in hits)


def test_borders() -> None:
    assert window_borders(24) == set()
    assert window_borders(48) == {8, 16, 24, 32, 40}
    assert clip_borders(72) == {24, 48}


def test_true_video_is_perfect_and_a_jump_is_a_seam() -> None:
    scene, sound = scene_of(0, 48)
    frames = torch.from_numpy(render(scene)).clone()
    true, jumping = Tally(), Tally()
    true.add(frames, scene, sound, {12, 24, 36})
    found = true.summary()
    assert found["event_recall"] == found["event_precision"] == found["object_accuracy"] == 1
    assert found["whole_av_align"] == found["ground_truth_av_align"]
    still = next(frame for frame in range(4, 40) if (frames[frame] - frames[frame - 1]).abs().max() == 0)
    frames[still:] = torch.roll(frames[still:], 3, dims=2)
    jumping.add(frames, scene, sound, {still})
    assert (seam_ratio([jumping]) or 0) > 3
    assert seam_ratio([Tally()]) is None


def test_quality_of_one_scene() -> None:
    told: list[str] = []
    quality = measure_quality(demo_models(), 1, 4, scene_frames=48, lengths=(24, 48), tell=told.append)
    assert set(quality["by_length"]) == {"24", "48"}
    assert set(quality["at_48"]) == {"naive", "whole-model windows", "clips of 24, glued"}
    assert quality["by_length"]["24"]["clips"] == 2
    assert quality["by_length"]["48"]["events"] == quality["by_length"]["24"]["events"]
    assert quality["by_length"]["24"]["seam_flow_ratio"] is None
    assert quality["seam_flow_ratio"] > 0
    assert len(told) == 4


def test_report_of_the_parts_that_were_asked_for() -> None:
    machine = {"processor": "a processor", "threads": 1, "torch": "2"}
    assert as_text({"machine": machine}) == "machine  a processor, 1 threads, torch 2"
