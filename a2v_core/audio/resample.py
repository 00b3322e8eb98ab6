"""Any sound to the mono 16 kHz that the audio encoder hears."""

import math
from fractions import Fraction
from functools import lru_cache
from types import ModuleType

import torch
from torch import Tensor

from ..errors import MediaError
from .fbank import SAMPLE_RATE

# torchaudio keeps a filter for every phase of the ratio; for odd rates that grows to gigabytes.
_MAX_FILTER_TAPS = 2**20


def to_mono_16k(samples: Tensor, sample_rate: int) -> Tensor:
    """Mean of the channels at 16 kHz: [B, C, N] -> float32 [B, N'], or [C, N] -> [N'].

    Raises MediaError for a sound without samples or channels, NaN or infinite samples, or a rate below 1 Hz.
    """
    if samples.ndim not in (2, 3):
        raise MediaError(f"sound must be [sounds, channels, samples], got an array of {list(samples.shape)}")
    if sample_rate < 1:
        raise MediaError(
            f"sample rate must be positive, got {sample_rate} Hz; check where the sound comes from"
        )
    if samples.numel() == 0:
        raise MediaError(f"the sound is empty ({list(samples.shape)}); choose another part or another file")
    check_finite(samples, "the sound")
    return resample(samples.float().mean(dim=-2), sample_rate, SAMPLE_RATE)


def check_finite(samples: Tensor, name: str) -> None:
    """Raise MediaError when a sample [..., N] is NaN or infinite."""
    bad = int((~torch.isfinite(samples)).sum())
    if bad:
        raise MediaError(
            f"{name}: {bad} of {samples.numel()} samples are NaN or infinite; export the sound again"
        )


def resample(samples: Tensor, source_rate: int, target_rate: int) -> Tensor:
    """Band-limited resampling along the last axis: [..., N] -> float32 [..., ceil(N * target / source)].

    By torchaudio (windowed sinc) where it imports; else, and for ratios it cannot hold in memory, by soxr.
    Rates in Hz.
    """
    samples = samples.float()
    if source_rate == target_rate:
        return samples
    ratio = Fraction(target_rate, source_rate)
    torchaudio = _torchaudio()
    if torchaudio is not None and _filter_taps(ratio) <= _MAX_FILTER_TAPS:
        resampled: Tensor = torchaudio.functional.resample(samples, ratio.denominator, ratio.numerator)
        return resampled
    return _resample_soxr(samples, ratio)


def _resample_soxr(samples: Tensor, ratio: Fraction) -> Tensor:
    import soxr

    length = math.ceil(samples.shape[-1] * ratio)
    rows = samples.reshape(-1, samples.shape[-1])
    out = samples.new_zeros(rows.shape[0], length)
    for row, target in zip(rows, out, strict=True):
        mono = soxr.resample(row.cpu().numpy(), ratio.denominator, ratio.numerator)
        kept = min(length, len(mono))
        target[:kept] = torch.from_numpy(mono[:kept])
    return out.reshape(*samples.shape[:-1], length)


def _filter_taps(ratio: Fraction) -> int:
    """Size of the filter bank torchaudio builds for a ratio: one filter per output phase."""
    zero_crossings, rolloff = 6, 0.99
    width = math.ceil(zero_crossings * max(1.0, float(1 / ratio)) / rolloff)
    return ratio.numerator * (2 * width + ratio.denominator)


@lru_cache(maxsize=1)
def _torchaudio() -> ModuleType | None:
    try:
        import torchaudio
        import torchaudio.functional
    except (
        ImportError,
        OSError,
        RuntimeError,
        AttributeError,
    ):  # a build for another torch fails in many ways
        return None
    module: ModuleType = torchaudio
    return module
