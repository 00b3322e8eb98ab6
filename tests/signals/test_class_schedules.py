"""Schedules of one class of sound: its own hits alone, and where it is heard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from a2v_core.audio import BEATs, load_beats
from a2v_core.demo import demo_path
from a2v_core.errors import A2VError
from a2v_core.media import Waveform
from a2v_core.signals import Schedule, Shape, hits_schedule, presence_schedule, sound_schedule
from tests.signals.sounds import waveform
from training.demo_world.held_out import held_out
from training.demo_world.sounds import SAMPLE_RATE
from training.demo_world.world import Actor, Scene

FPS = 12


@pytest.fixture(scope="module")
def in_turns() -> tuple[dict[str, list[int]], Waveform]:
    """Two objects that are never hit together: shape -> the frames of its hits, and the sound."""
    for number in range(50):
        world, samples = held_out(number, "two")
        sounding: list[Scene | Actor] = [world, *world.others]
        hits = {one.shape: [round(hit.time * FPS) for hit in one.hits] for one in sounding}
        first, second = hits.values()
        if first and second and not set(first) & set(second):
            return hits, waveform(samples, SAMPLE_RATE)
    raise AssertionError("no such scene")


def test_a_class_has_its_own_hits(in_turns: tuple[dict[str, list[int]], Waveform], demo_beats: BEATs) -> None:
    hits, sound = in_turns
    every = sound_schedule(sound, "onset", FPS).values
    for shape, frames in hits.items():
        values = hits_schedule(sound, demo_beats, shape, FPS).values
        assert np.flatnonzero(values > 0.3).tolist() == frames
        assert (values <= every).all()
        assert values[frames] == pytest.approx(every[frames], rel=0.2)
    absent = next(name for name in ("bell", "drop", "ring") if name not in hits)
    assert hits_schedule(sound, demo_beats, absent, FPS).values.max() < 0.2


def test_the_shape_comes_last(in_turns: tuple[dict[str, list[int]], Waveform], demo_beats: BEATs) -> None:
    hits, sound = in_turns
    (shape, frames), *_ = hits.items()
    shaped = hits_schedule(sound, demo_beats, shape.upper(), FPS, 100, Shape(low=-1.0, high=3.0))
    plain = hits_schedule(sound, demo_beats, shape, FPS, 100)
    assert shaped.values == pytest.approx(4 * plain.values - 1)
    assert len(shaped.values) == 100
    assert plain.values[frames].min() > 0.3


def test_presence_begins_with_the_sound(demo_beats: BEATs) -> None:
    """Four seconds of silence, then a scene of four: the class of its object is heard there alone."""
    world, samples = held_out(3, "long")
    sound = samples[: 4 * SAMPLE_RATE]
    joined = waveform(np.concatenate([np.zeros(4 * SAMPLE_RATE, np.float32), sound]), SAMPLE_RATE)
    progress: list[tuple[int, int]] = []
    made = presence_schedule(
        joined, demo_beats, world.shape, 10, progress=lambda done, total: progress.append((done, total))
    )
    assert made.axis.frames == 80
    assert made.values[:35].max() < 0.1
    assert made.values[50:75].min() > 0.5
    assert progress[-1][0] == progress[-1][1] > 0


def test_silence_has_no_hits(demo_beats: BEATs) -> None:
    silence = waveform(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE)
    assert hits_schedule(silence, demo_beats, "bell", FPS).floats() == [0.0] * FPS


@pytest.mark.parametrize("make", [hits_schedule, presence_schedule])
def test_what_cannot_be_is_said(make: Callable[..., Schedule], demo_beats: BEATs) -> None:
    sound = waveform(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE)
    with pytest.raises(A2VError, match="'bel' is no class of this BEATs: choose bell, ball, box"):
        make(sound, demo_beats, "bel")
    with pytest.raises(A2VError, match="fps is 0"):
        make(sound, demo_beats, "bell", fps=0)
    headless = load_beats(demo_path("beats"))
    headless.predictor = None
    with pytest.raises(A2VError, match="needs a BEATs checkpoint with a classifier head"):
        make(sound, headless, "bell")
    names = ("a", "b", "c", "d", "e", "f")
    with pytest.raises(A2VError, match=r"choose a, b, c, d, e, f$"):
        make(sound, demo_beats, "bell", names=names)
