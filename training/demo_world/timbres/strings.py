"""Plucked strings, from bass to harp, ringing and muted."""

from __future__ import annotations

import numpy as np

from ..partials import click, clock, log_uniform, partials, spread, unit_peak
from ..sounds import SAMPLE_RATE


def plucked(rng: np.random.Generator) -> np.ndarray:
    """A string: harmonics by place of the pluck, slightly stretched, high ones die first."""
    pitch, decay = log_uniform(rng, 50, 900), log_uniform(rng, 0.1, 2.5)
    time = clock(min(1.8, max(0.25, decay * 3)))
    number = np.arange(1, int(min(28, 9000 / pitch)) + 1)
    place, tilt = rng.uniform(0.08, 0.5), rng.uniform(0.4, 2.8)
    levels = np.abs(np.sin(np.pi * number * place)) / number**tilt * spread(rng, len(number), 0.4)
    stretched = number * np.sqrt(1 + log_uniform(rng, 1e-5, 8e-4) * number**2)
    body = partials(time, pitch * stretched, levels, decay / (1 + rng.uniform(0.05, 0.5) * (number - 1)))
    pick = click(rng, time, 500, log_uniform(rng, 1500, 7000), log_uniform(rng, 0.001, 0.01))
    return unit_peak(body) + rng.uniform(0, 0.5) * pick


def muted_string(rng: np.random.Generator) -> np.ndarray:
    """A short string: pizzicato, or damped by the palm."""
    sound = plucked(rng)
    time = np.arange(len(sound)) / SAMPLE_RATE
    return sound * np.exp(-time / log_uniform(rng, 0.04, 0.2))
