"""Short-time spectra of a stream, and mel bands in decibels.

Legend: N samples, T steps, K bins, M mel bands.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]

HOP_SECONDS = 0.005
WORKING_RATE = 44100  # Hz; sounds of twice as much and more are decimated to between this and twice this
MEL_BANDS = 40
LOW_HZ, HIGH_HZ = 30.0, 16000.0
FLOOR_DB = -70.0  # below full scale; what is softer in a band changes nothing


def decimation(rate: int) -> int:
    """By which whole number the rate of a sound is divided before its spectra are taken."""
    return next(factor for factor in range(max(1, rate // WORKING_RATE), 0, -1) if rate % factor == 0)


def hop_samples(rate: int, seconds: float = HOP_SECONDS) -> int:
    """Samples between two steps, rounded, so that every step lies on a sample."""
    return max(1, round(rate * seconds))


def window_samples(rate: int, seconds: float) -> int:
    """Samples of a window: an even number that an FFT likes, `seconds` or a little more."""
    from scipy.fft import next_fast_len

    return 2 * int(next_fast_len(max(8, round(rate * seconds / 2)), real=True))


def power(samples: Floats, size: int, hop: int) -> Floats:
    """Power spectra [..., T, K] of [..., N]: Hann windows of `size` at 0, hop, 2 hop, ... that lie inside.

    A sine of amplitude 1 has a peak of 1.
    """
    from scipy.fft import rfft

    frames = np.lib.stride_tricks.sliding_window_view(samples, size, axis=-1)[..., ::hop, :]
    spectrum = rfft(frames * hann(size), axis=-1)
    result: Floats = np.square(spectrum.real)
    result += np.square(spectrum.imag)
    return result


def mel_decibels(spectra: Floats, rate: int) -> Floats:
    """Power spectra [..., K] -> mel bands [..., M] in decibels of full scale, not lower than `FLOOR_DB`."""
    size = 2 * (spectra.shape[-1] - 1)
    bands = spectra @ mel_bands(rate, size)
    np.maximum(bands, np.float32(10 ** (FLOOR_DB / 10)), out=bands)
    np.log10(bands, out=bands)
    bands *= 10
    return bands


@functools.lru_cache(maxsize=8)
def hann(size: int) -> Floats:
    """Hann window whose sum is 2, so that amplitudes come out as they are."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    return np.asarray(window * (2 / window.sum()), np.float32)


@functools.lru_cache(maxsize=8)
def mel_bands(rate: int, size: int) -> Floats:
    """Triangles of height 1 on the mel scale as a matrix [K, M]."""
    edges = 700.0 * np.expm1(np.linspace(_mel(LOW_HZ), _mel(min(HIGH_HZ, rate / 2)), MEL_BANDS + 2) / 1127.0)
    bins = np.arange(size // 2 + 1)[:, None] * rate / size
    # A band narrower than the bins would be empty: its triangle reaches one bin to both sides at least.
    least = rate / size
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins - middle) / np.maximum(middle - left, least) + 1
    falling = (middle - bins) / np.maximum(right - middle, least) + 1
    return np.asarray(np.minimum(rising, falling).clip(0, None), np.float32)


def _mel(hertz: float) -> float:
    return 1127.0 * float(np.log1p(hertz / 700.0))
