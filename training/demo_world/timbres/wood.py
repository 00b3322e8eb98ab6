"""Wood: blocks, claves, rim clicks and sticks, xylophones. Ratios of partials are those of tuned bars."""

from __future__ import annotations

import numpy as np

from ..partials import click, clock, envelope, log_uniform, noise, partials, spread

TUNED_BARS = ((1.0, 3.0, 6.0), (1.0, 4.0, 10.0))


def wood_block(rng: np.random.Generator) -> np.ndarray:
    """Few short middle modes and a click."""
    pitch, decay = log_uniform(rng, 380, 2300), log_uniform(rng, 0.008, 0.06)
    time = clock(0.3)
    ratios = np.asarray([1.0, rng.uniform(1.3, 1.9), rng.uniform(2.1, 3.3), rng.uniform(3.4, 5.0)])
    levels = np.asarray([1.0, rng.uniform(0.0, 0.9), rng.uniform(0, 0.5), rng.uniform(0, 0.3)])
    body = partials(time, pitch * ratios, levels, decay * np.asarray([1.0, 0.8, 0.5, 0.4]))
    return body + rng.uniform(0, 0.8) * click(rng, time, pitch, pitch * 4, log_uniform(rng, 0.001, 0.006))


def clave(rng: np.random.Generator) -> np.ndarray:
    """One high short tone."""
    pitch, decay = log_uniform(rng, 1300, 4200), log_uniform(rng, 0.01, 0.06)
    time = clock(0.3)
    body = partials(
        time, [pitch, pitch * rng.uniform(2.4, 3.1)], [1.0, rng.uniform(0, 0.4)], [decay, decay / 2]
    )
    return body + rng.uniform(0, 0.6) * click(rng, time, 1500, 7000, 0.003)


def rim(rng: np.random.Generator) -> np.ndarray:
    """A stick on a rim or on another stick: a burst with many very short modes, and the drum below it."""
    time = clock(0.3)
    count = int(rng.integers(3, 9))
    pitches = np.exp(rng.uniform(np.log(320), np.log(5000), count))
    decays = np.exp(rng.uniform(np.log(0.004), np.log(0.03), count))
    body = partials(time, pitches, rng.uniform(0.2, 1.0, count), decays) / np.sqrt(count)
    burst = click(
        rng, time, log_uniform(rng, 500, 2500), log_uniform(rng, 3000, 9000), log_uniform(rng, 0.002, 0.02)
    )
    shell = log_uniform(rng, 150, 450) * np.asarray([1.0, 1.6, 2.2])
    drum = partials(time, shell, rng.uniform(0.2, 1.0, 3), rng.uniform(0.01, 0.06, 3))
    rattle = noise(rng, time, 800, 6000) * envelope(time, 2e-3, log_uniform(rng, 0.01, 0.06))
    return (
        body + rng.uniform(0.2, 2.0) * burst + rng.uniform(0.0, 0.7) * drum + rng.uniform(0.0, 0.08) * rattle
    )


def xylophone(rng: np.random.Generator) -> np.ndarray:
    """A tuned wooden bar."""
    pitch, decay = log_uniform(rng, 260, 2200), log_uniform(rng, 0.03, 0.16)
    time = clock(max(0.2, decay * 4))
    ratios = np.asarray(TUNED_BARS[int(rng.integers(2))]) * spread(rng, 3, 0.02)
    levels = np.asarray([1.0, rng.uniform(0.05, 0.6), rng.uniform(0.0, 0.3)])
    body = partials(time, pitch * ratios, levels, decay / ratios ** rng.uniform(0.5, 1.2))
    return body + rng.uniform(0, 0.7) * click(rng, time, 600, 6000, 0.004)
