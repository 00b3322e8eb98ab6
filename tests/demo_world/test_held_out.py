"""The test sets of the demo world: what is in them, and how far their ground truth is in time by AV-Align."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from a2v_core.audio import Waveform
from a2v_core.metrics import av_align
from training.demo_world.evaluate import follows_text_and_sound, other_colour
from training.demo_world.held_out import SETS, held_out, visible_events
from training.demo_world.recognise import EventCounts, Recognition
from training.demo_world.sounds import SAMPLE_RATE
from training.demo_world.world import FPS, render

CLIPS = 25


def ground_truth(name: str) -> float:
    """Mean AV-Align of the true videos of a set."""
    scores = []
    for number in range(8 if name == "long" else CLIPS):
        scene, sound = held_out(number, name)
        wave = Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE)
        scores.append(av_align(torch.from_numpy(render(scene)), FPS, wave).score)
    assert None not in scores
    return float(np.mean([score for score in scores if score is not None]))


@pytest.mark.parametrize("name", ["plain", "long", "two"])
def test_ground_truth_of_a_matched_set_is_in_time(name: str) -> None:
    assert ground_truth(name) >= 0.9


def test_a_noise_floor_costs_the_published_score_one_false_onset_a_clip() -> None:
    assert 0.6 <= ground_truth("noise") <= 0.85


def test_hits_off_screen_move_nothing() -> None:
    assert 0.3 <= ground_truth("off_screen") <= 0.7


def test_silence_has_no_hit_and_no_sample() -> None:
    for number in range(5):
        scene, sound = held_out(number, "silence")
        assert visible_events(scene) == []
        assert not sound.any()
        frames = render(scene)
        assert np.array_equal(frames, np.broadcast_to(frames[:1], frames.shape))


@pytest.mark.parametrize("name", SETS)
def test_scenes_are_the_same_every_time_and_differ(name: str) -> None:
    scenes = [held_out(number, name)[0] for number in range(CLIPS)]
    assert scenes == [held_out(number, name)[0] for number in range(CLIPS)]
    assert len(set(scenes)) > CLIPS * 0.6
    assert {len(scene.others) for scene in scenes} == {1 if name in ("two", "off_screen") else 0}
    assert {scene.num_frames for scene in scenes} == {96 if name == "long" else 24}


def test_two_objects_share_one_rhythm() -> None:
    for number in range(CLIPS):
        scene, _ = held_out(number, "two")
        (other,) = scene.others
        assert other.shape != scene.shape
        assert {scene.side, other.side} == {"left", "right"}
        frames = {round(hit.time * FPS) for hit in (*scene.hits, *other.hits)}
        assert visible_events(scene) == sorted(frames)
        left, right = render(scene)[:, :, :32], render(scene)[:, :, 32:]
        for half, hits in ((left, scene.hits), (right, other.hits)):
            moved = np.flatnonzero(np.abs(np.diff(half, axis=0)).max((1, 2, 3)) > 0.2) + 1
            assert {round(hit.time * FPS) for hit in hits} <= set(moved.tolist())
            assert len(moved) == 0 if not hits else True


def test_another_colour_is_never_the_own_one() -> None:
    scenes = [held_out(number)[0] for number in range(CLIPS)]
    colours = [other_colour(scene, number) for number, scene in enumerate(scenes)]
    assert all(colour != scene.colour for colour, scene in zip(colours, scenes, strict=True))
    assert len(set(colours)) >= 5


def test_agreement_needs_the_colour_of_the_text_and_the_events_of_the_sound() -> None:
    true = [3, 9, 15]
    assert follows_text_and_sound(Recognition("green", "ball", (3, 9, 16)), "green", true)
    assert not follows_text_and_sound(Recognition("red", "ball", (3, 9, 15)), "green", true)
    assert follows_text_and_sound(Recognition("green", "ball", (3, 9)), "green", true)
    assert not follows_text_and_sound(Recognition("green", "ball", (3,)), "green", true)
    assert not follows_text_and_sound(Recognition("green", "ball", (3, 6, 9, 12, 18, 21)), "green", true)


def test_events_are_counted_over_all_clips() -> None:
    events = EventCounts()
    assert events.add((), []) == 1.0
    assert (events.recall, events.precision) == (None, None)
    assert events.add((4, 12), [4]) == pytest.approx(2 / 3)
    assert events.add((), [7]) == 0.0
    assert (events.recall, events.precision) == (0.5, 0.5)
