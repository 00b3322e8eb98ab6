"""Rhythms and timbres of the worlds that adapters are trained and tested on."""

from __future__ import annotations

import numpy as np
import pytest

from training.ablate.worlds import WORLDS, held_out_clip, render_at_speed, training_clip
from training.demo_world.evaluate import score
from training.demo_world.sounds import SAMPLE_RATE
from training.demo_world.world import FPS, MIN_GAP, NUM_FRAMES, Hit, Scene, render, rhythm_hits


@pytest.mark.parametrize("rhythm", ["steady", "pairs", "free"])
def test_rhythms(rhythm: str) -> None:
    for number in range(40):
        times = (
            np.array([hit.time for hit in rhythm_hits(rhythm, NUM_FRAMES, np.random.default_rng(number))])
            * FPS
        )
        assert len(times) >= 1
        assert times.min() >= 2
        assert times.max() <= NUM_FRAMES - 3
        gaps = np.diff(times)
        assert (gaps > MIN_GAP).all()
        if rhythm == "steady":
            np.testing.assert_allclose(gaps, gaps[0] if len(gaps) else 0.0)
        if rhythm == "pairs":
            np.testing.assert_allclose(gaps[::2], MIN_GAP + 0.2)


@pytest.mark.parametrize("speed", [0.75, 1.0, 1.33])
def test_speed_moves_the_pitch_and_not_the_events(speed: float) -> None:
    scene = Scene("ring", "green", "grey", "left", 2.0, (Hit(0.5), Hit(1.25)))
    sound = render_at_speed(scene, np.random.default_rng(0), speed)
    assert sound.shape == (2 * SAMPLE_RATE,)
    assert not sound[: SAMPLE_RATE // 2 - 1].any()
    assert sound[SAMPLE_RATE // 2 :][:200].any()
    # The second hit of the same random string, a strong note of 220 to 300 Hz at speed 1.
    piece = sound[round(1.27 * SAMPLE_RATE) :][: SAMPLE_RATE // 4]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece))))
    pitch = np.fft.rfftfreq(len(piece), 1 / SAMPLE_RATE)[spectrum.argmax()]
    assert 215 * speed <= pitch <= 305 * speed


@pytest.mark.parametrize("world", list(WORLDS))
def test_true_videos_score_high_in_every_world(world: str) -> None:
    scores = []
    for number in range(12):
        scene, sound = held_out_clip(world, number)
        assert scene.hits
        scores.append(score(render(scene), sound).score)
    assert np.mean([value for value in scores if value is not None]) >= 0.9


def test_training_and_test_share_no_scene() -> None:
    trained = [training_clip("all", number)[0] for number in range(60)]
    tested = [held_out_clip("all", number)[0] for number in range(60)]
    assert not {scene.hits for scene in trained if scene.hits} & {scene.hits for scene in tested}
    assert any(not scene.hits for scene in trained)
    again, sound = training_clip("all", 3)
    assert again == trained[3]
    assert np.array_equal(sound, training_clip("all", 3)[1])
