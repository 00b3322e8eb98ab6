"""What recordings add to a sound: equalisers, rooms, saturation, noise, other things that sound.

Legend: N samples. Sounds are float64 [N] at `sounds.SAMPLE_RATE`.
"""

from __future__ import annotations

import math

import numpy as np

from .partials import log_uniform, unit_peak
from .sounds import SAMPLE_RATE

Generator = np.random.Generator


def resampled(sound: np.ndarray, speed: float) -> np.ndarray:
    """The sound played at another speed: higher and shorter above 1."""
    return np.interp(np.arange(0, len(sound) - 1, speed), np.arange(len(sound)), sound)


def shortened(sound: np.ndarray, seconds: float) -> np.ndarray:
    """The sound damped with this time constant."""
    return sound * np.exp(-np.arange(len(sound)) / SAMPLE_RATE / seconds)


def equalised(sound: np.ndarray, rng: Generator, strength: float = 9.0) -> np.ndarray:
    """Random gain of 8 bands, standard deviation `strength` / 2 dB; sometimes an end of the spectrum is cut
    off.
    """
    frequency = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    knots = np.geomspace(40, 10000, 8)
    gain = 10 ** (np.interp(np.log(frequency + 1), np.log(knots), rng.normal(0, strength / 2, 8)) / 20)
    if rng.random() < 0.3:
        gain /= 1 + (frequency / log_uniform(rng, 2500, 9000)) ** 4
    if rng.random() < 0.3:
        gain *= 1 - 1 / (1 + (frequency / log_uniform(rng, 40, 350)) ** 2)
    return np.fft.irfft(np.fft.rfft(sound) * gain, len(sound))


def in_a_room(sound: np.ndarray, rng: Generator) -> np.ndarray:
    """The sound with a decaying tail of noise, 0.1 to 1 s long; it does not grow longer."""
    seconds, wet = log_uniform(rng, 0.1, 1.0), log_uniform(rng, 0.05, 0.5)
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(time)) * np.exp(-6.9 * time / seconds)
    tail = np.convolve(tail, np.ones(int(rng.integers(1, 6))), "same")  # a darker room
    tail[: int(rng.uniform(0.001, 0.02) * SAMPLE_RATE)] = 0.0
    response = wet * tail / max(1e-9, float(np.sqrt((tail**2).sum())))
    response[0] = 1.0
    size = 720 * math.ceil((len(sound) + len(response)) / 720)
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)[: len(sound)]


def saturated(sound: np.ndarray, rng: Generator) -> np.ndarray:
    """Soft clipping at the same peak."""
    peak = float(np.abs(sound).max())
    return unit_peak(np.tanh(unit_peak(sound) * log_uniform(rng, 0.5, 6.0))) * peak


def background(rng: Generator, count: int) -> np.ndarray:
    """What sounds without a hit, standard deviation 1, [count]: coloured noise, wind, hum, a chord."""
    frequency = np.fft.rfftfreq(count, 1 / SAMPLE_RATE) + 1.0
    hiss = np.fft.irfft(np.fft.rfft(rng.standard_normal(count)) * frequency ** -rng.uniform(0.0, 1.2), count)
    time = np.arange(count) / SAMPLE_RATE
    kind = rng.random()
    if kind < 0.5:
        out = hiss
    elif kind < 0.7:
        out = hiss * (1.2 + np.sin(2 * np.pi * (rng.uniform(0.2, 1.0) * time + rng.random())))
    else:
        root = 50.0 if kind < 0.8 else log_uniform(rng, 80, 500)
        out = sum(
            rng.random() * np.sin(2 * np.pi * (root * ratio * time + rng.random()))
            for ratio in (1.0, 2.0, 3.0, *rng.choice([1.25, 1.2, 1.5, 2.5, 4.0, 6.0], 3))
        )
    return out / max(1e-9, float(np.std(out)))
