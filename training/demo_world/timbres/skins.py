"""Drums: kick drums, toms, hand drums, snare drums. Ratios of partials are those of circular membranes."""

from __future__ import annotations

import numpy as np

from ..partials import click, clock, envelope, log_uniform, noise, partials, spread, sweep

MEMBRANE = (1.0, 1.59, 2.14, 2.30, 2.65, 2.92, 3.16, 3.50)


def kick(rng: np.random.Generator) -> np.ndarray:
    """A low tone that falls, with the click of the beater."""
    decay = log_uniform(rng, 0.05, 0.35)
    time = clock(decay * 4.5)
    end = log_uniform(rng, 38, 95)
    body = sweep(time, end * log_uniform(rng, 1.3, 6.0), end, log_uniform(rng, 0.006, 0.06))
    skin = noise(rng, time, 30, log_uniform(rng, 200, 900)) * envelope(time, 1e-3, decay * 0.4)
    burst = click(rng, time, 800, log_uniform(rng, 2000, 8000), log_uniform(rng, 0.002, 0.015))
    return body * envelope(time, 1e-3, decay) + rng.uniform(0, 0.5) * skin + rng.uniform(0, 1.2) * burst


def tom(rng: np.random.Generator) -> np.ndarray:
    """Modes of a membrane that sink a little, with a soft attack noise."""
    pitch, decay = log_uniform(rng, 55, 400), log_uniform(rng, 0.05, 0.5)
    time = clock(decay * 4)
    ratios = np.asarray(MEMBRANE) * spread(rng, len(MEMBRANE), 0.03)
    levels = rng.uniform(0.0, 1.0, len(ratios)) * rng.uniform(0.3, 0.8) ** np.arange(len(ratios))
    body = partials(time, pitch * ratios[1:], levels[1:], decay * rng.uniform(0.2, 0.6) / ratios[1:])
    bent = sweep(time, pitch * log_uniform(rng, 1.0, 2.2), pitch, log_uniform(rng, 0.02, 0.12))
    skin = noise(rng, time, 80, log_uniform(rng, 800, 6000)) * envelope(
        time, 5e-4, log_uniform(rng, 0.005, 0.05)
    )
    return bent * envelope(time, 1e-3, decay) + body + rng.uniform(0.0, 0.5) * skin


def hand_drum(rng: np.random.Generator) -> np.ndarray:
    """A bongo, conga or djembe: a short membrane and the slap of a hand."""
    pitch, decay = log_uniform(rng, 130, 700), log_uniform(rng, 0.025, 0.2)
    time = clock(max(0.12, decay * 4))
    ratios = np.asarray(MEMBRANE[:6]) * spread(rng, 6, 0.05)
    levels = rng.uniform(0.1, 1.0, 6) * rng.uniform(0.3, 0.9) ** np.arange(6)
    body = partials(time, pitch * ratios, levels, decay / ratios ** rng.uniform(0.5, 1.5))
    slap = noise(rng, time, 300, log_uniform(rng, 1500, 6000)) * envelope(
        time, 3e-4, log_uniform(rng, 0.004, 0.03)
    )
    return body + rng.uniform(0.0, 0.45) * slap


def snare(rng: np.random.Generator) -> np.ndarray:
    """A middle membrane and the rattle of wires."""
    pitch, decay = log_uniform(rng, 130, 380), log_uniform(rng, 0.03, 0.14)
    time = clock(0.7)
    ratios = np.asarray(MEMBRANE[:5]) * spread(rng, 5, 0.06)
    levels = rng.uniform(0.2, 1.0, 5) * 0.6 ** np.arange(5)
    body = partials(time, pitch * ratios, levels, decay / np.sqrt(ratios))
    wires = noise(rng, time, log_uniform(rng, 250, 2500), log_uniform(rng, 3500, 11000))
    wires *= (
        envelope(time, 1e-3, log_uniform(rng, 0.03, 0.16)) + 0.2 * envelope(time, 2e-2, 0.15) * rng.random()
    )
    return body + log_uniform(rng, 0.12, 0.9) * wires
