"""Onsets of a sound file of any length in bounded memory: decoded, resampled and analysed block by block.

Only the mel spectrogram is kept, 128 values per 23 ms: 79 MB for an hour.

Legend: C channels, N samples, K bins, T steps.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import media
from ..optional import require
from .onsets import ONSET_HOP, ONSET_RATE, PURPOSE, Onsets, detect_onsets, pick_onsets

WHOLE_SECONDS = 120.0  # up to here the sound is analysed at once, equal to the published script to the digit
WINDOW = 2048
_STEPS_AT_ONCE = 1024

Floats = np.ndarray[Any, np.dtype[np.float32]]


def file_onsets(path: str | os.PathLike[str]) -> tuple[Onsets, float]:
    """Onsets of a sound file or a video's sound track, and the length of the sound in seconds.

    Up to 120 s as `detect_onsets`; longer sounds in pieces, equal to it within 1e-3 dB. Errors as
    `load_audio`.
    """
    head = media.load_audio(Path(path), duration=WHOLE_SECONDS)
    if head.duration < WHOLE_SECONDS - 0.5:
        return detect_onsets(head), head.duration
    del head
    length = _Length()
    return stream_onsets(_resampled(_mono_blocks(Path(path), length))), length.seconds


def stream_onsets(blocks: Iterator[Floats]) -> Onsets:
    """Onsets of mono blocks at 22050 Hz, one after another."""
    librosa = require("librosa", PURPOSE)
    filters = librosa.filters.mel(sr=ONSET_RATE, n_fft=WINDOW)
    mel = np.concatenate([filters @ power for power in _power_spectra(blocks)], axis=1)
    envelope = librosa.onset.onset_strength(S=librosa.power_to_db(mel), sr=ONSET_RATE)
    return Onsets(pick_onsets(envelope), tuple(map(float, envelope)))


def _power_spectra(blocks: Iterator[Floats]) -> Iterator[Floats]:
    """Power spectrogram [K, T] as by librosa's stft: centred windows, zero padding at both ends."""
    librosa = require("librosa", PURPOSE)
    buffer = np.zeros(WINDOW // 2, np.float32)

    def spectra(padded: Floats) -> Floats:
        spectrum = librosa.stft(padded, n_fft=WINDOW, hop_length=ONSET_HOP, center=False)
        power: Floats = spectrum.real**2 + spectrum.imag**2
        return power

    block_samples = WINDOW + (_STEPS_AT_ONCE - 1) * ONSET_HOP
    for block in blocks:
        buffer = np.concatenate([buffer, block])
        while len(buffer) >= block_samples:
            yield spectra(buffer[:block_samples])
            buffer = buffer[_STEPS_AT_ONCE * ONSET_HOP :]
    buffer = np.concatenate([buffer, np.zeros(WINDOW // 2, np.float32)])
    if len(buffer) >= WINDOW:
        yield spectra(buffer)


class _Length:
    """Length of the sound that has been decoded so far."""

    seconds = 0.0


def _mono_blocks(path: Path, length: _Length) -> Iterator[tuple[Floats, int]]:
    """(samples [N], rate) from second 0 on, without gaps."""
    for block in media.without_gaps(media.sound_blocks(path), path):
        media.check_finite(torch.from_numpy(np.ascontiguousarray(block.samples)), str(path))
        mono: Floats = block.samples.mean(axis=0, dtype=np.float32)
        length.seconds = (block.position + len(mono)) / block.rate
        yield mono, block.rate


def _resampled(blocks: Iterator[tuple[Floats, int]]) -> Iterator[Floats]:
    """Blocks at 22050 Hz, in all as `librosa.resample` gives them (soxr_hq)."""
    import soxr

    stream: Any = None
    samples_in = samples_out = rate = 0
    for samples, rate in blocks:
        samples_in += len(samples)
        if rate == ONSET_RATE:
            yield samples
            continue
        if stream is None:
            stream = soxr.ResampleStream(rate, ONSET_RATE, 1, dtype="float32", quality="HQ")
        part: Floats = stream.resample_chunk(np.ascontiguousarray(samples))
        samples_out += len(part)
        yield part
    if stream is not None:
        last: Floats = stream.resample_chunk(np.zeros(0, np.float32), last=True)
        missing = math.ceil(samples_in * ONSET_RATE / rate) - samples_out
        yield np.pad(last[:missing], (0, max(0, missing - len(last))))
