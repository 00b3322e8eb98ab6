"""Resampling between any two rates, and a check for NaN and infinity."""

import math
from fractions import Fraction
from functools import lru_cache
from types import ModuleType

import torch
from torch import Tensor

from ..errors import MediaError

# torchaudio keeps a filter for every phase of the ratio; for odd rates that grows to gigabytes.
_MAX_FILTER_TAPS = 2**20


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
