"""Audio peaks of AV-Align: the onsets that librosa detects with its defaults, as the published script does.

Legend: C channels, N samples, T steps of the onset envelope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..media import Waveform, checked_samples
from ..optional import require

ONSET_RATE = 22050  # what librosa.load resamples to
ONSET_HOP = 512
ONSET_DELTA = 0.07  # librosa's own
PURPOSE = "Onset detection (AV-Align)"

# librosa pads the start with silence and shifts the envelope by three steps to compensate: the two steps
# after those compare sound with padding. A noise floor at the start looks like an onset there.
PADDED_STEPS = 5
MIN_STRENGTH = 2.0  # dB, mean over the bands: the envelope of steady noise stays below


@dataclass(frozen=True)
class Onsets:
    """times: seconds, ascending; envelope: onset strength [T] in dB, one value per `hop_seconds`."""

    times: tuple[float, ...]
    envelope: tuple[float, ...]
    hop_seconds: float = ONSET_HOP / ONSET_RATE


def detect_onsets(sound: Waveform) -> Onsets:
    """Onsets of a sound: channels to their mean, 22050 Hz (soxr_hq), onset strength, peak picking.

    Source: the published av_align.py (Feb 2025), `librosa.load` and `onset_detect` with their defaults;
    equal to it for wav files. An onset lies on the 23.2 ms grid of the envelope. Silence has none. Note
    that sound which does not start from silence has one near 0.07 s, where the envelope rises for the first
    time; `trusted_onsets` has not. Raises MediaError for an empty sound or samples that are not finite,
    MissingDependency without librosa.
    """
    samples, rate = checked_samples(sound), sound.sample_rate
    librosa = require("librosa", PURPOSE)
    mono = librosa.to_mono(samples.numpy())
    if rate != ONSET_RATE:
        mono = librosa.resample(mono, orig_sr=rate, target_sr=ONSET_RATE)
    envelope = librosa.onset.onset_strength(y=mono, sr=ONSET_RATE)
    return Onsets(pick_onsets(envelope), tuple(map(float, envelope)))


def trusted_onsets(onsets: Onsets, delta: float = ONSET_DELTA) -> Onsets:
    """The onsets without artefacts of the padding at the start and of steady noise.

    The first five steps (0.116 s) of the envelope compare with padding, not with sound: they are left out,
    also of the normalisation before peak picking. An onset must reach 2 dB.
    """
    envelope = np.asarray(onsets.envelope, np.float32).copy()
    envelope[:PADDED_STEPS] = 0
    times = pick_onsets(envelope, delta)
    steps = [min(round(time / onsets.hop_seconds), len(envelope) - 1) for time in times]
    strong = tuple(time for time, step in zip(times, steps, strict=True) if envelope[step] >= MIN_STRENGTH)
    return Onsets(strong, tuple(map(float, envelope)), onsets.hop_seconds)


def pick_onsets(
    envelope: Sequence[float] | np.ndarray[Any, Any], delta: float = ONSET_DELTA
) -> tuple[float, ...]:
    """Times in seconds of the peaks that librosa picks in an onset envelope [T] with its defaults.

    delta  threshold of a peak above the local mean, relative to the maximum of the envelope
    """
    librosa = require("librosa", PURPOSE)
    steps = librosa.onset.onset_detect(onset_envelope=np.asarray(envelope), sr=ONSET_RATE, delta=delta)
    return tuple(map(float, librosa.frames_to_time(steps, sr=ONSET_RATE)))
