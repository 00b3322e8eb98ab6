"""Power of a stream in bands of frequencies.

Legend: N samples, T steps, K bins, J bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .curve import Curve, Unit
from .spectra import hop_samples, power, window_samples

Floats = np.ndarray[Any, np.dtype[np.float32]]

WINDOW_SECONDS = 0.0427  # 23 Hz between two bins
HOP_SECONDS = 0.010
_CHUNK = 500


class Band(NamedTuple):
    """Frequencies from `low` to `high`, in Hz."""

    low: float
    high: float


NAMED_BANDS: dict[str, Band] = {
    "sub": Band(20, 60),
    "bass": Band(60, 250),
    "low mids": Band(250, 500),
    "mids": Band(500, 2000),
    "high mids": Band(2000, 4000),
    "presence": Band(4000, 6000),
    "brilliance": Band(6000, 20000),
}


class BandMeter:
    """Power per step of 10 ms in each of J bands, of mono samples at a working rate.

    A bin that lies partly in a band counts by that part; what lies above half the rate is silent.
    """

    def __init__(self, rate: int, bands: Sequence[Band]) -> None:
        self.rate, self.hop = rate, hop_samples(rate, HOP_SECONDS)
        self.size = window_samples(rate, WINDOW_SECONDS)
        self._weights = _shares(bands, rate, self.size)
        # A window of a step is centred on it.
        self._buffer = np.zeros((self.size - self.hop) // 2, np.float32)
        self._left = 0  # samples that belong to no step yet
        self._steps: list[Floats] = []

    def feed(self, samples: Floats) -> None:
        """The next samples [N]."""
        self._buffer = np.concatenate([self._buffer, samples])
        self._left += len(samples)
        need = self.size + (_CHUNK - 1) * self.hop
        while len(self._buffer) >= need:
            self._add(self._buffer[:need])
            self._buffer = self._buffer[_CHUNK * self.hop :]
            self._left -= _CHUNK * self.hop

    def finish(self) -> list[Curve]:
        """One curve per band."""
        steps = -(-self._left // self.hop)
        if steps > 0:
            missing = self.size + (steps - 1) * self.hop - len(self._buffer)
            self._add(np.pad(self._buffer, (0, max(0, missing)))[: self.size + (steps - 1) * self.hop])
            self._left = 0
        values = np.concatenate(self._steps)
        return [Curve(column.copy(), self.hop / self.rate, Unit.POWER) for column in values.T]

    def _add(self, samples: Floats) -> None:
        self._steps.append(power(samples, self.size, self.hop) @ self._weights)


def _shares(bands: Sequence[Band], rate: int, size: int) -> Floats:
    """Share of every bin that lies in a band [K, J], so that a sine has the mean square it has in time."""
    edges = (np.arange(size // 2 + 2) - 0.5) * rate / size
    low, high = (np.array([band[side] for band in bands]) for side in (0, 1))
    overlap = np.minimum(edges[1:, None], high) - np.maximum(edges[:-1, None], low)
    # A Hann window spreads a sine of amplitude 1 over bins whose powers sum to 1.5; its mean square is 0.5.
    return np.asarray(overlap.clip(0, None) * size / rate / 3, np.float32)
