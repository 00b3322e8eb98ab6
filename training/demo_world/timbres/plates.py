"""Metal that hisses: hi-hats, cymbals, tambourines, and shakers, which sound alike."""

from __future__ import annotations

import numpy as np

from ..partials import clock, envelope, log_uniform, noise
from ..sounds import SAMPLE_RATE


def plate(rng: np.random.Generator, time: np.ndarray, lowest: float, decay: float) -> np.ndarray:
    """A plate: noise whose spectrum is full of narrow peaks, as so many partials sound."""
    width = len(time) // 2 + 1
    frequency = np.fft.rfftfreq(len(time), 1 / SAMPLE_RATE)
    peaks = np.exp(rng.normal(0.0, 1.3, max(24, width // int(rng.integers(4, 40)))))
    shape = np.interp(np.linspace(0, len(peaks) - 1, width), np.arange(len(peaks)), peaks)
    shape *= (frequency > lowest) / (1 + frequency / log_uniform(rng, 2000, 20000))
    out = np.fft.irfft(np.fft.rfft(rng.standard_normal(len(time))) * shape, len(time))
    return out / max(1e-9, float(out.std())) * envelope(time, 1e-3, decay)


def hi_hat(rng: np.random.Generator) -> np.ndarray:
    """High noise and metal, closed to half open, with the knock of the stick or foot."""
    decay = log_uniform(rng, 0.012, 0.4)
    time = clock(min(1.4, max(0.15, decay * 5)))
    hiss = noise(rng, time, log_uniform(rng, 900, 7000), 11000) * envelope(time, 5e-4, decay)
    low = log_uniform(rng, 150, 900)
    knock = noise(rng, time, low, low * 3) * envelope(time, 1e-3, log_uniform(rng, 0.006, 0.04))
    return hiss + rng.uniform(0, 1.5) * plate(rng, time, 1500, decay) + rng.uniform(0.0, 0.6) * knock


def cymbal(rng: np.random.Generator) -> np.ndarray:
    """Crash, splash and ride: a ping, a wash of noise and the plate itself."""
    decay = log_uniform(rng, 0.2, 1.5)
    time = clock(1.6)
    wash = noise(rng, time, log_uniform(rng, 250, 4000), 11000) * envelope(
        time, log_uniform(rng, 5e-4, 8e-3), decay
    )
    fast = noise(rng, time, log_uniform(rng, 1500, 5000), 11000) * envelope(
        time, 5e-4, log_uniform(rng, 0.01, 0.15)
    )
    metal = plate(rng, time, log_uniform(rng, 250, 2500), decay)
    return rng.uniform(0.0, 1.0) * wash + rng.uniform(0.2, 2.5) * fast + rng.uniform(0.1, 1.5) * metal


def shaker(rng: np.random.Generator) -> np.ndarray:
    """Grains that swell for a moment: shaker, maraca, cabasa."""
    time = clock(0.4)
    hiss = noise(rng, time, log_uniform(rng, 1800, 5500), log_uniform(rng, 6000, 11000))
    return hiss * envelope(time, log_uniform(rng, 1e-3, 0.03), log_uniform(rng, 0.012, 0.08))


def tambourine(rng: np.random.Generator) -> np.ndarray:
    """Jingles: bursts of high metal, close together."""
    time = clock(0.8)
    decay = log_uniform(rng, 0.03, 0.2)
    out = plate(rng, time, 3000, decay) + rng.uniform(0.2, 1.0) * noise(rng, time, 4000, 11000) * envelope(
        time, 1e-3, decay * 0.6
    )
    for _ in range(int(rng.integers(0, 4))):
        late = int(rng.uniform(0.005, 0.06) * SAMPLE_RATE)
        out[late:] += rng.uniform(0.1, 0.5) * plate(rng, time[: len(time) - late], 3500, decay)
    return out
