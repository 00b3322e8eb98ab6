"""Level of a sound per step: mean square (RMS), and K-weighted as in ITU-R BS.1770-5.

Legend: C channels, N samples, T steps.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .curve import Curve, Unit
from .spectra import decimation, hop_samples

Floats = np.ndarray[Any, np.dtype[np.float32]]

# Analogue prototypes of the two filters that BS.1770 gives as coefficients at 48 kHz: a high shelf of +4 dB
# and a high pass. The bilinear transform of these gives the published coefficients at 48 kHz.
_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_SHELF_EXPONENT = 0.4996667741545416
_PASS_HZ, _PASS_Q = 38.13547087602444, 0.5003270373238773
OFFSET = -0.691  # LUFS = OFFSET + 10 log10(sum of the channels' mean squares)
_REAR = 1.41
_WEIGHTS = {  # in the order in which FFmpeg gives the channels; the low-frequency channel does not count
    5: (1.0, 1.0, 1.0, _REAR, _REAR),
    6: (1.0, 1.0, 1.0, 0.0, _REAR, _REAR),
}
SILENCE_LUFS = -70.0  # the absolute gate
_BLOCK_SECONDS, _BLOCK_STEP = 0.4, 0.1


class LevelMeter:
    """Mean square per step of 5 ms, mean over the channels."""

    unit = Unit.POWER

    def __init__(self, rate: int, channels: int) -> None:
        self.hop = hop_samples(rate // decimation(rate)) * decimation(rate)
        self.step_seconds = self.hop / rate
        self._rest = np.zeros((channels, 0), np.float32)
        self._steps: list[Floats] = []

    def feed(self, samples: Floats) -> None:
        """The next samples [C, N]."""
        joined = np.concatenate([self._rest, self.weighted(samples)], axis=1)
        whole = joined.shape[1] // self.hop * self.hop
        self._rest = joined[:, whole:]
        self._add(joined[:, :whole])

    def finish(self) -> Curve:
        """All steps; the last covers what is left."""
        if self._rest.shape[1]:
            missing = self.hop - self._rest.shape[1]
            self._add(np.pad(self._rest, ((0, 0), (0, missing))))
            self._rest = self._rest[:, :0]
        return Curve(np.concatenate(self._steps), self.step_seconds, self.unit)

    def weighted(self, samples: Floats) -> Floats:
        """The samples as they count."""
        return samples

    def _add(self, samples: Floats) -> None:
        channels = len(samples)
        steps = samples.reshape(channels, -1, self.hop)
        self._steps.append(
            np.einsum("csn,csn->s", steps, steps) / np.float32(self.hop * self.share(channels))
        )

    def share(self, channels: int) -> int:
        """By what the sum over the channels is divided."""
        return channels


class LoudnessMeter(LevelMeter):
    """Mean square of the K-weighted sound per step, channels added with their weights."""

    unit = Unit.DECIBELS

    def __init__(self, rate: int, channels: int) -> None:
        super().__init__(rate, channels)
        self._filter = k_weighting(rate)
        self._state = np.zeros((len(self._filter), channels, 2))
        self._gains = np.sqrt(np.asarray(_WEIGHTS.get(channels, (1.0,) * channels)))[:, None]

    def weighted(self, samples: Floats) -> Floats:
        """K-weighted samples, their filters' state kept from block to block."""
        from scipy.signal import sosfilt

        filtered, self._state = sosfilt(self._filter, samples, axis=1, zi=self._state)
        return np.asarray(filtered * self._gains, np.float32)

    def share(self, channels: int) -> int:
        """Channels add up."""
        return 1


@functools.lru_cache(maxsize=8)
def k_weighting(rate: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Second-order sections of the K-weighting at any sample rate in Hz (ITU-R BS.1770-5, annex 1)."""
    tangent = math.tan(math.pi * min(_SHELF_HZ, 0.49 * rate) / rate)
    high = 10 ** (_SHELF_DB / 20)
    band = high**_SHELF_EXPONENT
    norm = 1 + tangent / _SHELF_Q + tangent**2
    shelf = [
        (high + band * tangent / _SHELF_Q + tangent**2) / norm,
        2 * (tangent**2 - high) / norm,
        (high - band * tangent / _SHELF_Q + tangent**2) / norm,
        1.0,
        2 * (tangent**2 - 1) / norm,
        (1 - tangent / _SHELF_Q + tangent**2) / norm,
    ]
    tangent = math.tan(math.pi * _PASS_HZ / rate)
    norm = 1 + tangent / _PASS_Q + tangent**2
    high_pass = [
        1.0,
        -2.0,
        1.0,
        1.0,
        2 * (tangent**2 - 1) / norm,
        (1 - tangent / _PASS_Q + tangent**2) / norm,
    ]
    return np.array([shelf, high_pass])


def lufs(mean_square: Any) -> Any:
    """K-weighted mean squares in LUFS; silence is -120."""
    return OFFSET + 10 * np.log10(np.maximum(mean_square, 10 ** (-11.9309)))


def integrated_loudness(curve: Curve) -> float | None:
    """Loudness of the whole sound in LUFS (BS.1770-5: blocks of 400 ms, gates at -70 LUFS and 10 LU below).

    None for silence and for a sound shorter than 400 ms.
    """
    size, step = (round(seconds / curve.step_seconds) for seconds in (_BLOCK_SECONDS, _BLOCK_STEP))
    sums = np.concatenate([[0.0], np.cumsum(curve.values, dtype=np.float64)])
    blocks = (sums[size::step] - sums[:-size:step]) / size
    blocks = blocks[lufs(blocks) > SILENCE_LUFS]
    if not len(blocks):
        return None
    loud = blocks[lufs(blocks) > lufs(blocks.mean()) - 10]
    return float(lufs(loud.mean()))
