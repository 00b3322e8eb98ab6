"""Sounds whose truth is known."""

from __future__ import annotations

import numpy as np
import torch

from a2v_core.media import Waveform


def bursts(
    times: list[float], seconds: float, rate: int, hertz: float = 1000.0, channels: int = 1
) -> Waveform:
    """Bursts of a tone of 60 ms that begin at full loudness, in silence."""
    samples = np.zeros(round(seconds * rate), np.float32)
    burst = 0.7 * np.sin(2 * np.pi * hertz * (np.arange(round(0.06 * rate)) + 6) / rate)
    for time in times:
        at = round(time * rate)
        samples[at : at + len(burst)] += burst[: max(0, len(samples) - at)].astype(np.float32)
    return waveform(np.repeat(samples[None], channels, axis=0), rate)


def tone(hertz: float, amplitude: float, seconds: float, rate: int, channels: int = 1) -> Waveform:
    samples = amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return waveform(np.repeat(samples[None], channels, axis=0), rate)


def noise(amplitude: float, seconds: float, rate: int, seed: int = 0) -> Waveform:
    return waveform(amplitude * np.random.default_rng(seed).standard_normal((1, round(seconds * rate))), rate)


def waveform(samples: np.ndarray, rate: int) -> Waveform:
    return Waveform(torch.from_numpy(np.asarray(samples, np.float32).reshape(-1, samples.shape[-1])), rate)
