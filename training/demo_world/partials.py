"""What struck and plucked sounds are made of: decaying partials, bands of noise, sweeps.

Legend: N samples, P partials. Everything is float64 at `sounds.SAMPLE_RATE`; a sound begins with its hit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .sounds import SAMPLE_RATE

Numbers = Sequence[float] | np.ndarray


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A random number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def clock(seconds: float) -> np.ndarray:
    """Time of every sample of a sound of this length, [N]; N is a multiple of 720, which makes its spectrum
    fast.
    """
    return np.arange(720 * math.ceil(seconds * SAMPLE_RATE / 720)) / SAMPLE_RATE


def envelope(time: np.ndarray, attack: float, decay: float) -> np.ndarray:
    """Linear attack, then an exponential decay with this time constant, in seconds, [N]."""
    return np.clip(time / max(attack, 1e-4), 0.0, 1.0) * np.exp(-time / decay)


def partials(time: np.ndarray, frequencies: Numbers, levels: Numbers, decays: Numbers) -> np.ndarray:
    """Sum of sines with exponential decays, [N]; what lies above 10 kHz is left out."""
    rows = np.asarray([frequencies, levels, decays], dtype=np.float64).T
    rows = rows[rows[:, 0] < 10000.0]
    out = np.zeros(len(time))
    for frequency, level, decay in rows:
        count = min(len(time), int(decay * 7 * SAMPLE_RATE) + 1)
        part = time[:count]
        out[:count] += level * np.exp(-part / decay) * np.sin(2 * np.pi * frequency * part)
    return out


def sweep(time: np.ndarray, start: float, end: float, seconds: float) -> np.ndarray:
    """A sine that goes from one frequency to another with this time constant, [N]."""
    frequency = end + (start - end) * np.exp(-time / seconds)
    return np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE)


def noise(rng: np.random.Generator, time: np.ndarray, low: float, high: float) -> np.ndarray:
    """Noise between two frequencies with soft edges of 12 dB an octave, standard deviation 1, [N]."""
    frequency = np.fft.rfftfreq(len(time), 1 / SAMPLE_RATE) + 1e-3
    shape = 1 / (1 + (low / frequency) ** 2) / (1 + (frequency / high) ** 2)
    spectrum = np.fft.rfft(rng.standard_normal(len(time))) * shape
    out = np.fft.irfft(spectrum, len(time))
    return out / max(1e-9, float(out.std()))


def unit_peak(sound: np.ndarray) -> np.ndarray:
    """The sound with a peak of 1."""
    return sound / max(1e-9, float(np.abs(sound).max()))


def click(rng: np.random.Generator, time: np.ndarray, low: float, high: float, decay: float) -> np.ndarray:
    """A short burst of noise where something is struck, [N]."""
    return 0.4 * noise(rng, time, low, high) * envelope(time, 3e-4, decay)


def spread(rng: np.random.Generator, count: int, width: float) -> np.ndarray:
    """Random factors around 1, log-normal, [count]."""
    return np.exp(rng.normal(0.0, width, count))
