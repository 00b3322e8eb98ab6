"""Metal that rings: cowbells, bars, bells, triangles, and frequency modulation."""

from __future__ import annotations

import numpy as np

from ..partials import click, clock, envelope, log_uniform, partials, spread

FREE_BAR = (1.0, 2.76, 5.40, 8.93)
TUNED_BAR = (1.0, 4.0, 10.0, 14.0)
CHURCH_BELL = (0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 2.67, 3.0, 4.0)


def cowbell(rng: np.random.Generator) -> np.ndarray:
    """Two strong inharmonic tones with overtones."""
    pitch, decay = log_uniform(rng, 380, 1500), log_uniform(rng, 0.02, 0.35)
    time = clock(min(1.4, decay * 5))
    second = rng.uniform(1.35, 1.65)
    ratios = np.concatenate([[1, second], [3, 3 * second, 5], rng.uniform(2.0, 8.0, 6)])
    levels = np.concatenate([[1, rng.uniform(0.5, 1.2)], [0.4, 0.3, 0.2], rng.uniform(0.0, 0.35, 6)])
    body = partials(time, pitch * ratios, levels, decay / ratios ** rng.uniform(0.2, 0.8))
    return body + rng.uniform(0, 0.6) * click(rng, time, 1500, 8000, 0.008)


def bar(rng: np.random.Generator) -> np.ndarray:
    """A metal bar: glockenspiel, celesta, vibraphone, chime."""
    pitch, decay = log_uniform(rng, 500, 4200), log_uniform(rng, 0.12, 1.2)
    time = clock(min(1.8, decay * 4))
    tuned = np.asarray(FREE_BAR if rng.random() < 0.6 else TUNED_BAR)
    ratios = tuned * spread(rng, 4, 0.015)
    levels = np.asarray([1.0, *rng.uniform(0.0, 0.7, 3)])
    body = partials(time, pitch * ratios, levels, decay / ratios ** rng.uniform(0.3, 1.0))
    return body + rng.uniform(0, 0.5) * click(rng, time, 2000, 9000, 0.004)


def church_bell(rng: np.random.Generator) -> np.ndarray:
    """A cast bell, from church to hand bell."""
    pitch, decay = log_uniform(rng, 500, 2400), log_uniform(rng, 0.2, 1.5)
    time = clock(min(1.8, decay * 4))
    ratios = np.asarray(CHURCH_BELL) * spread(rng, len(CHURCH_BELL), 0.02)
    levels = rng.uniform(0.1, 1.0, len(ratios))
    body = partials(time, pitch * ratios, levels, decay / ratios ** rng.uniform(0.2, 0.9))
    return body + rng.uniform(0, 0.5) * click(rng, time, 1500, 8000, 0.005)


def triangle(rng: np.random.Generator) -> np.ndarray:
    """Many high inharmonic partials that ring."""
    count, decay = int(rng.integers(5, 14)), log_uniform(rng, 0.1, 1.2)
    time = clock(min(1.8, decay * 4))
    pitches = np.exp(rng.uniform(np.log(1100), np.log(9500), count))
    body = partials(time, pitches, rng.uniform(0.1, 1.0, count), decay * spread(rng, count, 0.4))
    return body


def fm_bell(rng: np.random.Generator) -> np.ndarray:
    """Frequency modulation whose index falls."""
    pitch, decay = log_uniform(rng, 450, 1800), log_uniform(rng, 0.12, 0.9)
    time = clock(min(1.8, decay * 4))
    index = rng.uniform(1.0, 6.0) * np.exp(-time / (decay * rng.uniform(0.2, 0.8)))
    modulator = np.sin(2 * np.pi * pitch * rng.choice([1.4, 1.41, 2.76, 3.5, 2.2]) * time)
    return np.sin(2 * np.pi * pitch * time + index * modulator) * envelope(time, 1e-3, decay)
