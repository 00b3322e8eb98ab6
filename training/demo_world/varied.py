"""Sounds of scenes as recordings might have them: other timbres, pitched, stretched, equalised, in a room,
in noise.

The trainings of BEATs and of the AudioMapper hear them beside the plain sounds of the world. None of them is
a recording; `recorded.py` measures how well that carries over to recordings.

Legend: N samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .effects import background, equalised, in_a_room, resampled, saturated, shortened
from .partials import log_uniform, unit_peak
from .sounds import SAMPLE_RATE, hit_sound
from .timbres import one_shot
from .world import Hit, Scene

PEAK = 0.8  # of a hit of loudness 1
WORLD_TIMBRE = 0.25  # share of the sounds that start from the world's own timbre


def instrument(shape: str, rng: np.random.Generator) -> np.ndarray:
    """A sound of an object, [N] with a peak of 1: another timbre than the world's, or its own one changed."""
    sound = hit_sound(shape, Hit(0.0), rng) if rng.random() < WORLD_TIMBRE else one_shot(shape, rng)
    sound = resampled(sound, log_uniform(rng, 0.8, 1.25))
    if rng.random() < 0.2:
        sound = shortened(sound, log_uniform(rng, 0.03, 0.5))
    if rng.random() < 0.3:
        sound = saturated(sound, rng)
    return unit_peak(equalised(sound, rng) if rng.random() < 0.7 else sound)


def strike(
    samples: np.ndarray, sound: np.ndarray, hits: Sequence[Hit], rng: np.random.Generator, level: float = 1.0
) -> None:
    """Adds a sound to `samples` at every hit, each time a little different in pitch and colour."""
    for hit in hits:
        one = resampled(sound, float(np.exp(rng.normal(0, 0.01))))
        if rng.random() < 0.5:
            one = unit_peak(one + rng.uniform(-0.3, 0.3) * np.roll(one, 1))
        start = round(hit.time * SAMPLE_RATE)
        end = min(len(samples), start + len(one))
        samples[start:end] += PEAK * level * hit.loudness * one[: end - start]


def varied_sound(scene: Scene, rng: np.random.Generator, levels: Sequence[float] = ()) -> np.ndarray:
    """The sound of a scene, float32 [N] at `SAMPLE_RATE`.

    levels  of the scene's `others`, as shares of the level of its object
    """
    samples = np.zeros(round(scene.duration * SAMPLE_RATE))
    strike(samples, instrument(scene.shape, rng), scene.hits, rng)
    for actor, level in zip(scene.others, levels, strict=True):
        strike(samples, instrument(actor.shape, rng), actor.hits, rng, level)
    peak = max(float(np.abs(samples).max()), PEAK / 2)
    if rng.random() < 0.4:
        samples = in_a_room(samples, rng)
    if rng.random() < 0.3:
        samples = equalised(samples, rng, 6.0)
    samples *= peak / max(float(np.abs(samples).max()), 1e-9) if scene.hits or scene.others else 0.0
    if rng.random() < 0.6:
        samples += log_uniform(rng, 3e-4, 0.02) * background(rng, len(samples))
    return np.clip(samples, -1.0, 1.0).astype(np.float32)
