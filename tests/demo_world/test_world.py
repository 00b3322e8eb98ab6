"""The demo world: what it shows and sounds like, and that its ground truth is in time by AV-Align."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from a2v_core.audio import Waveform
from a2v_core.metrics import av_align
from training.demo_world.atlas import Atlas
from training.demo_world.recognise import count_matched, recognise
from training.demo_world.sounds import SAMPLE_RATE, render_sound
from training.demo_world.world import (
    FPS,
    LEAP,
    MIN_GAP,
    SHAPES,
    Hit,
    Scene,
    frame_captions,
    heights,
    level_word,
    random_hits,
    random_scene,
    render,
)


def test_a_hit_lifts_the_object_at_its_frame_and_it_sinks_slowly() -> None:
    scene = Scene("ball", "red", "grey", "centre", 1.0, (Hit(0.5, 0.8),))
    assert heights(scene)[:6].tolist() == [0.0] * 6
    assert heights(scene)[6] == 0.8
    assert np.all(np.diff(heights(scene)[6:]) < 0)
    lowest = [np.flatnonzero(frame[:, 32, 0] > 0.6)[-1] for frame in render(scene)]
    assert lowest[5] - lowest[6] == pytest.approx(0.8 * LEAP, abs=1.0)


def test_captions_say_the_height_of_each_moment() -> None:
    scene = Scene("drop", "orange", "navy", "left", 1.0, (Hit(0.5),))
    captions = frame_captions(scene, np.random.default_rng(0))
    assert len(captions) == 12
    assert [" still" in caption for caption in captions[:6]] == [True] * 6
    assert captions[6].startswith("a video of a orange drop top")
    assert [level_word(h) for h in (0.0, 0.1, 0.3, 0.5, 0.7)] == ["still", "low", "middle", "high", "top"]


def test_hits_keep_their_distance() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        frames = [round(hit.time * FPS) for hit in random_hits(rng, 48)]
        assert all(b - a >= MIN_GAP for a, b in itertools.pairwise(frames))
        assert not frames or (frames[0] >= 2 and frames[-1] <= 45)


@pytest.mark.parametrize("shape", SHAPES)
def test_sound_starts_with_the_first_hit(shape: str) -> None:
    scene = Scene(shape, SHAPES[shape], "grey", "centre", 2.0, (Hit(0.5), Hit(1.25, 0.7)))
    sound = render_sound(scene, np.random.default_rng(0))
    assert len(sound) == 2 * SAMPLE_RATE
    first = round(0.5 * SAMPLE_RATE)
    assert not sound[:first].any()
    assert np.abs(sound[first : first + 1000]).max() > 0.1
    assert np.abs(sound).max() <= 1.0


def test_ground_truth_is_in_time() -> None:
    rng = np.random.default_rng(11)
    scores = []
    for _ in range(40):
        scene = random_scene(rng)
        sound = Waveform(torch.from_numpy(render_sound(scene, rng))[None], SAMPLE_RATE)
        score = av_align(torch.from_numpy(render(scene)), FPS, sound).score
        if score is not None:
            scores.append(score)
    assert len(scores) >= 35
    assert np.mean(scores) >= 0.9


def test_the_look_at_pixels_is_right_on_ground_truth() -> None:
    rng = np.random.default_rng(12)
    found = true = hits = 0
    for _ in range(25):
        scene = random_scene(rng, natural=0.5)
        seen = recognise(np.clip(render(scene) + rng.normal(0, 0.05, (24, 64, 64, 3)), 0, 1))
        assert (seen.shape, seen.colour) == (scene.shape, scene.colour)
        events = [round(hit.time * FPS) for hit in scene.hits]
        found, true, hits = (
            found + len(seen.leaps),
            true + len(events),
            hits + count_matched(seen.leaps, events),
        )
    assert hits / true >= 0.95
    assert hits / found >= 0.95


def test_matching_is_one_to_one() -> None:
    assert count_matched([4, 5], [4]) == 1
    assert count_matched([5], [4, 6]) == 1
    assert count_matched([7], [4]) == 0
    assert count_matched([3, 10], [4, 9]) == 2


def test_atlas_has_every_height_of_the_world() -> None:
    levels = Atlas.levels()
    rng = np.random.default_rng(5)
    for _ in range(100):
        for height in heights(random_scene(rng)):
            assert np.abs(levels - height).min() < 1e-6
