"""Audio peaks of AV-Align: the onsets that librosa detects with its defaults, as the published script does.

Legend: C channels, N samples, T steps of the onset envelope.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..audio import Waveform
from ..audio.resample import check_finite
from ..errors import MediaError
from .optional import require

ONSET_RATE = 22050  # what librosa.load resamples to
ONSET_HOP = 512


@dataclass(frozen=True)
class Onsets:
    """times: seconds, ascending; envelope: onset strength [T], one value per `hop_seconds`."""

    times: tuple[float, ...]
    envelope: tuple[float, ...]
    hop_seconds: float = ONSET_HOP / ONSET_RATE


def detect_onsets(sound: Waveform) -> Onsets:
    """Onsets of a sound: channels to their mean, 22050 Hz (soxr_hq), onset strength, peak picking.

    Source: the published av_align.py (Feb 2025), `librosa.load` and `onset_detect` with their defaults;
    equal to it for wav files. An onset lies on the 23.2 ms grid of the envelope. Silence has none. Note
    that sound which does not start from silence has one near 0.07 s, where the envelope rises for the first
    time. Raises MediaError for an empty sound or samples that are not finite, MissingDependency without
    librosa.
    """
    samples, rate = sound.samples.detach().to("cpu", torch.float32), sound.sample_rate
    if samples.ndim != 2 or 0 in samples.shape:
        raise MediaError(
            f"Sound has shape {tuple(samples.shape)}: expected [channels, samples], at least one each."
        )
    if rate <= 0:
        raise MediaError(f"Sound has a sample rate of {rate} Hz: expected more than 0.")
    check_finite(samples, "the sound")
    librosa = require("librosa", "Onset detection (AV-Align)")
    mono = librosa.to_mono(samples.numpy())
    if rate != ONSET_RATE:
        mono = librosa.resample(mono, orig_sr=rate, target_sr=ONSET_RATE)
    envelope = librosa.onset.onset_strength(y=mono, sr=ONSET_RATE)
    steps = librosa.onset.onset_detect(onset_envelope=envelope, sr=ONSET_RATE)
    times = librosa.frames_to_time(steps, sr=ONSET_RATE)
    return Onsets(tuple(map(float, times)), tuple(map(float, envelope)))
