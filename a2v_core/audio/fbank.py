"""Kaldi log-mel filter banks as BEATs was trained on, in plain batched torch.

The settings are those of the published BEATs preprocessing, which calls Kaldi's fbank with 128 mel bins on
16 kHz samples at 16-bit scale: frames of 25 ms every 10 ms, only whole frames, mean removed per frame,
pre-emphasis 0.97, Povey window, FFT of 512, power spectrum, triangles from 20 Hz to 8 kHz on the mel scale,
natural logarithm.

Shapes: B sounds, N samples, T frames, S = 400 samples of a frame, M = 128 mel bins.
"""

from functools import lru_cache

import torch
from torch import Tensor

SAMPLE_RATE = 16_000
FRAME_SAMPLES = 400
HOP_SAMPLES = 160
MEL_BINS = 128

_FFT_SAMPLES = 512
_PREEMPHASIS = 0.97
_LOW_HZ, _HIGH_HZ = 20.0, SAMPLE_RATE / 2
_SIXTEEN_BIT = 2.0**15
_BEATS_MEAN, _BEATS_STD = 15.41663, 6.55582
_FRAMES_AT_ONCE = 32_768


def frame_count(num_samples: int) -> int:
    """Number of whole 25 ms frames in `num_samples` samples of 16 kHz sound."""
    return 0 if num_samples < FRAME_SAMPLES else 1 + (num_samples - FRAME_SAMPLES) // HOP_SAMPLES


def kaldi_fbank(waveform: Tensor) -> Tensor:
    """Log-mel filter bank of 16 kHz sound in -1..1: float32 [B, N] -> [B, T, 128] (T = 0 below 400 samples).

    Equals Kaldi's `compute-fbank-feats` (and torchaudio's port of it) without dither on the samples times
    2^15.
    """
    batch, num_samples = waveform.shape
    total = frame_count(num_samples)
    if total == 0:
        return waveform.new_zeros(batch, 0, MEL_BINS, dtype=torch.float32)
    frames = waveform.float().unfold(1, FRAME_SAMPLES, HOP_SAMPLES)
    rows = max(1, _FRAMES_AT_ONCE // batch)
    return torch.cat([_log_mel(frames[:, start : start + rows]) for start in range(0, total, rows)], dim=1)


def beats_fbank(waveform: Tensor) -> Tensor:
    """`kaldi_fbank` normalised with the mean and deviation that BEATs expects: [B, N] -> [B, T, 128]."""
    return (kaldi_fbank(waveform) - _BEATS_MEAN) / (2 * _BEATS_STD)


def _log_mel(frames: Tensor) -> Tensor:
    """[B, T, S] samples in -1..1 -> [B, T, M]."""
    frames = frames * _SIXTEEN_BIT
    frames = frames - frames.mean(dim=-1, keepdim=True)
    previous = torch.cat([frames[..., :1], frames[..., :-1]], dim=-1)
    frames = (frames - _PREEMPHASIS * previous) * _povey_window().to(frames.device)
    power = torch.fft.rfft(frames, n=_FFT_SAMPLES).abs().square()
    # The highest FFT bin lies on the edge of the last triangle: its weight is zero in Kaldi.
    energy = power[..., :-1] @ _mel_banks().to(frames.device).T
    return energy.clamp_min(torch.finfo(torch.float32).eps).log()


@lru_cache(maxsize=1)
@torch.inference_mode(False)  # a cached inference tensor would break a later call that needs gradients
def _povey_window() -> Tensor:
    return torch.hann_window(FRAME_SAMPLES, periodic=False, dtype=torch.float32, device="cpu").pow(0.85)


@lru_cache(maxsize=1)
@torch.inference_mode(False)
def _mel_banks() -> Tensor:
    """Triangles, equally spaced in mel: float32 [M, 256]."""
    numbers = torch.arange(_FFT_SAMPLES // 2, dtype=torch.float64, device="cpu")
    low, high = _mel(numbers.new_tensor([_LOW_HZ, _HIGH_HZ])).tolist()
    step = (high - low) / (MEL_BINS + 1)
    left = low + step * numbers[:MEL_BINS].unsqueeze(1)
    bins = _mel(numbers * SAMPLE_RATE / _FFT_SAMPLES).unsqueeze(0)
    rising, falling = (bins - left) / step, (left + 2 * step - bins) / step
    return torch.minimum(rising, falling).clamp_min(0).float()


def _mel(hertz: Tensor) -> Tensor:
    return 1127.0 * torch.log1p(hertz / 700.0)
