"""Bubbles, pops and rising blips."""

from __future__ import annotations

import numpy as np

from ..partials import clock, envelope, log_uniform, noise, sweep
from ..sounds import SAMPLE_RATE


def bubble(rng: np.random.Generator) -> np.ndarray:
    """A rising chirp that dies soon; sometimes another follows at once."""
    time = clock(0.35)
    out = np.zeros(len(time))
    for number in range(int(rng.integers(1, 3))):
        late = int(number * rng.uniform(0.015, 0.07) * SAMPLE_RATE)
        part = time[: len(time) - late]
        start, seconds = log_uniform(rng, 280, 2600), log_uniform(rng, 0.02, 0.14)
        frequency = start * (1 + rng.uniform(0.25, 2.5) * np.clip(part / seconds, 0, 2.0))
        tone = np.sin(2 * np.pi * np.cumsum(np.minimum(frequency, 9000)) / SAMPLE_RATE)
        out[late:] += rng.uniform(0.4, 1.0) * tone * envelope(part, rng.uniform(5e-4, 6e-3), seconds * 0.6)
    return out


def blip(rng: np.random.Generator) -> np.ndarray:
    """A pop: a fast rise with a breath of noise."""
    time = clock(0.25)
    low = log_uniform(rng, 200, 1200)
    tone = sweep(time, low, low * rng.uniform(1.8, 5.0), log_uniform(rng, 0.015, 0.08))
    breath = noise(rng, time, low, low * 3) * envelope(time, 2e-3, 0.015)
    return tone * envelope(time, 1e-3, log_uniform(rng, 0.015, 0.07)) + rng.uniform(0, 0.2) * breath
