"""The varied sounds that BEATs and AudioMapper are trained with: their timbres, effects and truth."""

from __future__ import annotations

import numpy as np
import pytest

from training.demo_world import effects
from training.demo_world.beats import CONFIG, QUARTERS, example, targets
from training.demo_world.sounds import SAMPLE_RATE
from training.demo_world.timbres import TIMBRES, Timbre
from training.demo_world.varied import instrument, varied_sound
from training.demo_world.world import SHAPES, Actor, Hit, Scene

ALL = [timbre for choices in TIMBRES.values() for timbre in choices]


def test_every_object_has_timbres() -> None:
    assert list(TIMBRES) == list(SHAPES)
    assert CONFIG.predictor_class == len(SHAPES)


@pytest.mark.parametrize("timbre", dict.fromkeys(ALL), ids=lambda timbre: timbre.__name__)
def test_a_timbre_begins_with_its_hit_and_differs_every_time(timbre: Timbre) -> None:
    sounds = [timbre(np.random.default_rng(seed)) for seed in range(4)]
    for sound in sounds:
        loud = np.abs(sound)
        assert np.isfinite(sound).all()
        assert loud[: SAMPLE_RATE // 20].max() > 0.5 * loud.max() > 0
        assert (sound[-SAMPLE_RATE // 50 :] ** 2).mean() < 0.2 * (sound[: SAMPLE_RATE // 10] ** 2).mean()
    assert len({sound.tobytes() for sound in sounds}) == 4
    assert np.array_equal(sounds[0], timbre(np.random.default_rng(0)))


def test_another_speed_changes_pitch_and_length() -> None:
    tone = np.sin(2 * np.pi * 400 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    faster = effects.resampled(tone, 1.25)
    assert len(faster) == pytest.approx(SAMPLE_RATE / 1.25, abs=1)
    peak = np.abs(np.fft.rfft(faster)).argmax() * SAMPLE_RATE / len(faster)
    assert peak == pytest.approx(500, abs=2)


def test_a_room_adds_a_tail_after_the_sound() -> None:
    click = np.zeros(SAMPLE_RATE)
    click[1000] = 1.0
    wet = effects.in_a_room(click, np.random.default_rng(0))
    assert len(wet) == len(click)
    assert np.abs(wet[:1000]).max() < 1e-9
    assert wet[1000] == pytest.approx(1.0)
    assert np.abs(wet[1001:]).max() > 1e-3


def test_saturation_keeps_the_peak_and_adds_overtones() -> None:
    tone = 0.5 * np.sin(2 * np.pi * 400 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    hard = max((effects.saturated(tone, np.random.default_rng(n)) for n in range(6)), key=np.std)
    assert np.abs(hard).max() == pytest.approx(0.5, abs=1e-3)
    spectrum = np.abs(np.fft.rfft(hard))
    assert spectrum[1200] > 0.01 * spectrum[400]


def test_an_equaliser_changes_colour_but_no_time() -> None:
    click = np.zeros(SAMPLE_RATE)
    click[5000] = 1.0
    out = effects.equalised(click, np.random.default_rng(1))
    assert abs(int(np.abs(out).argmax()) - 5000) <= 20
    spectrum = np.abs(np.fft.rfft(out))
    assert spectrum[50:9000].max() > 2 * spectrum[50:9000].min()


def test_a_background_has_no_hit_and_one_loudness() -> None:
    for seed in range(8):
        sound = effects.background(np.random.default_rng(seed), SAMPLE_RATE)
        assert sound.std() == pytest.approx(1.0)


@pytest.mark.parametrize("shape", SHAPES)
def test_varied_sounds_have_their_hits_in_place(shape: str) -> None:
    scene = Scene(shape, SHAPES[shape], "grey", "centre", 2.0, (Hit(0.5), Hit(1.25, 0.7)))
    rises = []
    for seed in range(6):
        sound = varied_sound(scene, np.random.default_rng(seed))
        assert sound.shape == (2 * SAMPLE_RATE,)
        assert 0.1 < np.abs(sound).max() <= 1.0
        power = np.square(sound, dtype=np.float64)
        at = round(0.5 * SAMPLE_RATE)
        rises.append(power[at : at + 2000].mean() / (power[at - 2000 : at].mean() + 1e-9))
    assert min(rises) > 4


def test_an_instrument_sounds_alike_at_every_hit_of_a_clip() -> None:
    sound = instrument("box", np.random.default_rng(0))
    assert np.abs(sound).max() == pytest.approx(1.0)


def test_a_scene_without_hits_is_silence_or_background() -> None:
    scene = Scene("ball", "red", "grey", "centre", 1.0)
    levels = [np.abs(varied_sound(scene, np.random.default_rng(seed))).max() for seed in range(8)]
    assert min(levels) == 0.0
    assert 0.0 < max(levels) < 0.3


def test_targets_of_beats_are_hits_heights_and_objects() -> None:
    other = Actor("bell", "yellow", "left", (Hit(0.5),))
    scene = Scene("ball", "red", "grey", "centre", 1.0, (Hit(0.25, 0.8),), (other,))
    rows = targets(scene, (other,), 6)
    kinds = list(SHAPES)
    assert [[int(n) for n in place] for place in rows.hits.nonzero()] == [
        [1, 2, kinds.index("ball")],
        [3, 0, 2],
    ]
    assert rows.objects.tolist() == [1.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    ball = rows.heights[..., 0].flatten()
    assert ball[: int(0.25 / 0.16 * QUARTERS)].max() == 0.0
    assert ball.max() == pytest.approx(0.8)
    assert targets(scene, (), 6).objects.tolist() == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_examples_are_the_worlds_own_or_varied_and_sometimes_mixtures() -> None:
    examples = [example(np.random.default_rng(seed), 24) for seed in range(24)]
    assert all(len(sound) == 2 * SAMPLE_RATE for sound, _, _ in examples)
    mixtures = [heard for _, scene, heard in examples if scene.others]
    assert 1 <= len(mixtures) < 15
    assert any(mixtures)
