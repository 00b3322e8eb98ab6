"""Onsets of a stream: when something begins to sound, to a few milliseconds, and how strongly.

1. Spectral flux: the mean rise of 40 mel bands in decibels over 15 ms, where every band is compared with the
   loudest of itself and its neighbours (after Boeck and Widmer 2013, "Maximum filter vibrato suppression for
   onset detection"), every 5 ms.
2. Peaks of the flux that stand out from the 0.2 s around them and from the decay of the hit before.
3. The begin of the attack of each peak, from spectra of 6 ms every millisecond (`attack.py`).

Numbers of all three were chosen on some drum kits and tested on others: `benchmarks/signals_study`. AV-Align
has the onsets of its published script (`a2v_core/audio/onsets.py`), which lie on a grid of 23 ms.

Legend: N samples, T steps, M mel bands.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .attack import REACH_SECONDS, attack_times, is_end
from .curve import Curve, Unit
from .spectra import hop_samples, mel_decibels, power, window_samples

Floats = np.ndarray[Any, np.dtype[np.float32]]
Steps = np.ndarray[Any, np.dtype[np.intp]]

WINDOW_SECONDS = 0.0213
LAG = 3  # steps over which a rise is measured
FLUX_DELAY = 0.0035  # seconds by which the flux of a hit peaks after it, in the median
MIN_RISE = 2.0  # dB, mean over the bands
ABOVE_MEAN = 1.2  # dB above the mean of the steps around
PEAK_STEPS, MEAN_STEPS, APART_STEPS = 4, 20, 8  # on each side; on each side; at least so far apart
SHADOW_STEPS, SHADOW_SHARE = 15, 0.09  # after a hit, rises below this share of its own are its decay
_CONTEXT = 48  # steps before and after a chunk that are analysed with it
_CHUNK = 2000
_START_SECONDS, _LATER_SECONDS, _DECAYS = 0.03, 0.15, 2.0


class Onset(NamedTuple):
    """`time` in seconds; `strength` is the rise of the amplitude, 1 for the strongest onset of the sound."""

    time: float
    strength: float


class OnsetMeter:
    """Flux and onsets of mono samples at a working rate."""

    def __init__(self, rate: int) -> None:
        self.rate, self.hop = rate, hop_samples(rate)
        self.size = window_samples(rate, WINDOW_SECONDS)
        # The buffer begins before second 0, so that every step has its context.
        self._lead = _CONTEXT * self.hop + self.size // 2 + round(REACH_SECONDS * rate)
        self._buffer = np.zeros(self._lead, np.float32)
        self._first = 0  # step with which the next chunk begins
        self._flux: list[Floats] = []
        self._times: list[float] = []
        self._strengths: list[float] = []
        self._starts_with_hit = True

    def feed(self, samples: Floats) -> None:
        """The next samples [N]."""
        self._buffer = np.concatenate([self._buffer, samples])
        need = 2 * self._lead + _CHUNK * self.hop
        while len(self._buffer) >= need:
            self._chunk(_CHUNK)
            self._buffer = self._buffer[_CHUNK * self.hop :]
            self._first += _CHUNK

    def finish(self) -> tuple[Curve, tuple[Onset, ...]]:
        """The flux in dB per step, and the onsets in order of time."""
        steps = -(-(len(self._buffer) - self._lead) // self.hop)
        if steps > 0:
            self._buffer = np.concatenate([self._buffer, np.zeros(2 * self._lead, np.float32)])
            self._chunk(steps)
        curve = Curve(
            np.concatenate([*self._flux, np.zeros(0, np.float32)]), self.hop / self.rate, Unit.CHANGE
        )
        strongest = max(self._strengths, default=0.0) or 1.0
        pairs = sorted(zip(self._times, self._strengths, strict=True))
        return curve, tuple(Onset(time, strength / strongest) for time, strength in pairs)

    def _chunk(self, count: int) -> None:
        """Analyse `count` steps; the buffer holds `_lead` samples before the first of them, and after."""
        if self._first == 0:
            self._starts_with_hit = self._decays_from_start()
        begin = self._lead - _CONTEXT * self.hop - self.size // 2
        end = begin + (count + 2 * _CONTEXT - 1) * self.hop + self.size
        spectra = power(self._buffer[begin:end], self.size, self.hop)
        decibels = mel_decibels(spectra, self.rate)
        flux = spectral_flux(decibels)
        # The flux of step n peaks with a hit at n; the curve's step n covers n to n + 1.
        shift = round(FLUX_DELAY * self.rate / self.hop + 0.5)
        self._flux.append(flux[_CONTEXT + shift : _CONTEXT + shift + count])
        peaks = flux_peaks(flux)
        peaks = peaks[(peaks >= _CONTEXT) & (peaks < _CONTEXT + count)]
        times = attack_times(self._buffer, self._lead + (peaks - _CONTEXT) * self.hop, self.rate)
        for peak, sample in zip(peaks, times, strict=True):
            time = max(0.0, (sample - self._lead) / self.rate + self._first * self.hop / self.rate)
            if is_end(self._buffer, float(sample), self.rate):
                continue
            if time > _START_SECONDS or self._starts_with_hit:
                self._times.append(time)
                self._strengths.append(_rise(decibels, int(peak)))

    def _decays_from_start(self) -> bool:
        """Whether the sound begins with a hit: it gets softer. One that was cut anywhere goes on as it is."""
        sound = self._buffer[self._lead :]
        later = sound[round(_LATER_SECONDS * self.rate) :][: round(_LATER_SECONDS * self.rate)]
        start = sound[: round(_START_SECONDS * self.rate)]
        if not len(later):
            return True
        return float(np.square(start).mean()) > _DECAYS * float(np.square(later).mean())


def spectral_flux(decibels: Floats) -> Floats:
    """Mean rise over the bands within `LAG` steps: [T, M] -> [T] in dB."""
    from scipy.ndimage import maximum_filter1d

    flux = np.zeros(len(decibels), np.float32)
    before = maximum_filter1d(decibels, 3, axis=1)[:-LAG]
    rises = np.maximum(decibels[LAG:] - before, 0)
    flux[LAG:] = rises @ np.full(rises.shape[1], 1 / rises.shape[1], np.float32)  # faster than their mean
    return flux


def flux_peaks(flux: Floats) -> Steps:
    """Steps at which the flux [T] has a peak that is an onset."""
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    peak = flux == maximum_filter1d(flux, 2 * PEAK_STEPS + 1)
    around = uniform_filter1d(flux, 2 * MEAN_STEPS + 1)
    recent = np.concatenate(
        [np.zeros(SHADOW_STEPS, np.float32), maximum_filter1d(flux, 2 * SHADOW_STEPS + 1)]
    )[: len(flux)]
    least = np.maximum(np.maximum(MIN_RISE, around + ABOVE_MEAN), SHADOW_SHARE * recent)
    kept: list[int] = []
    for step in np.flatnonzero(peak & (flux >= least)):
        if kept and step - kept[-1] < APART_STEPS:
            if flux[step] > flux[kept[-1]]:
                kept[-1] = int(step)
        else:
            kept.append(int(step))
    return np.asarray(kept, np.intp)


def _rise(decibels: Floats, step: int) -> float:
    """Rise of the amplitude at an onset, over all bands."""
    before = decibels[max(0, step - LAG - 2) : max(1, step - LAG + 1)].min(axis=0)
    after = decibels[step : step + 4].max(axis=0)
    rise = np.maximum(10 ** (after / 10) - 10 ** (before / 10), 0)
    return float(np.sqrt(rise.sum()))
