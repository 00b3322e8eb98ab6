"""The sounds of the demo world: one struck or plucked sound per shape, from digital silence.

Each hit is a fresh rendering with small random changes of pitch, length and brightness, so that no two are
equal. A clip starts from digital silence: a noise floor at the very start makes the onset detector report a
false onset near 0.07 s. `noise_floor` adds one for tests of robustness.

Legend: N samples.
"""

from __future__ import annotations

import numpy as np

from .world import Hit, Scene

SAMPLE_RATE = 22050  # Hz


def _decay(length: float, seconds: float) -> np.ndarray:
    """Exponential decay over `length` seconds, to a thousandth at its end, with a 2 ms attack, float64
    [N].
    """
    time = np.arange(int(length * SAMPLE_RATE)) / SAMPLE_RATE
    attack = np.clip(time / 0.002, 0.0, 1.0)
    fade = np.clip((length - time) / 0.02, 0.0, 1.0)
    return np.exp(-time / seconds) * attack * fade


def _tone(frequency: np.ndarray | float, count: int) -> np.ndarray:
    phase = np.cumsum(np.broadcast_to(np.asarray(frequency, dtype=np.float64), (count,))) / SAMPLE_RATE
    return np.sin(2 * np.pi * phase)


def _ball(rng: np.random.Generator) -> np.ndarray:
    """A drum: a falling low tone."""
    envelope = _decay(0.30, rng.uniform(0.06, 0.09))
    count = len(envelope)
    sweep = rng.uniform(60, 80) + rng.uniform(90, 140) * np.exp(-np.arange(count) / SAMPLE_RATE / 0.03)
    return _tone(sweep, count) * envelope


def _box(rng: np.random.Generator) -> np.ndarray:
    """A wood block: two short middle tones."""
    envelope = _decay(0.16, rng.uniform(0.02, 0.035))
    pitch = rng.uniform(700, 900)
    return (_tone(pitch, len(envelope)) + 0.6 * _tone(pitch * 1.52, len(envelope))) * envelope


def _bell(rng: np.random.Generator) -> np.ndarray:
    """A bell: high inharmonic partials."""
    envelope = _decay(0.5, rng.uniform(0.10, 0.15))
    pitch = rng.uniform(1500, 1800)
    partials = [(1.0, 1.0), (2.76, 0.6), (5.40, 0.35)]
    return sum(weight * _tone(pitch * ratio, len(envelope)) for ratio, weight in partials) * envelope


def _star(rng: np.random.Generator) -> np.ndarray:
    """A hi-hat: noise, high frequencies only."""
    envelope = _decay(0.18, rng.uniform(0.03, 0.05))
    noise = rng.standard_normal(len(envelope))
    return np.diff(noise, n=2, prepend=[0.0, 0.0]) * envelope * 0.35


def _ring(rng: np.random.Generator) -> np.ndarray:
    """A plucked string: harmonics of a low note."""
    envelope = _decay(0.45, rng.uniform(0.09, 0.13))
    pitch = rng.uniform(220, 300)
    return sum(_tone(pitch * k, len(envelope)) / k for k in range(1, 9)) * envelope * 0.8


def _drop(rng: np.random.Generator) -> np.ndarray:
    """A water drop: a rising chirp."""
    envelope = _decay(0.16, rng.uniform(0.04, 0.06))
    count = len(envelope)
    sweep = rng.uniform(500, 700) + rng.uniform(5500, 8000) * np.arange(count) / SAMPLE_RATE
    return _tone(sweep, count) * envelope


VOICES = {"ball": _ball, "box": _box, "bell": _bell, "star": _star, "ring": _ring, "drop": _drop}


def hit_sound(shape: str, hit: Hit, rng: np.random.Generator) -> np.ndarray:
    """One hit of a shape at the loudness of `hit`, float64 [N] with peak at most 0.8."""
    sound = VOICES[shape](rng)
    return sound / max(1e-9, float(np.abs(sound).max())) * 0.8 * hit.loudness


def render_sound(scene: Scene, rng: np.random.Generator, noise_floor: float = 0.0) -> np.ndarray:
    """The sound of a scene, float32 [N] at `SAMPLE_RATE`; `noise_floor` is the standard deviation of added
    noise.
    """
    samples = np.zeros(round(scene.duration * SAMPLE_RATE))
    struck = [(scene.shape, hit) for hit in scene.hits]
    struck += [(actor.shape, hit) for actor in scene.others for hit in actor.hits]
    for shape, hit in struck:
        sound = hit_sound(shape, hit, rng)
        start = round(hit.time * SAMPLE_RATE)
        end = min(len(samples), start + len(sound))
        samples[start:end] += sound[: end - start]
    if noise_floor:
        samples += rng.standard_normal(len(samples)) * noise_floor
    return np.clip(samples, -1.0, 1.0).astype(np.float32)
