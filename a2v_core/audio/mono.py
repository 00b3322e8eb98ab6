"""Downmix and resampling to the input of the audio encoder: mono at 16 kHz."""

from torch import Tensor

from ..errors import MediaError
from ..media import check_finite, resample
from .fbank import SAMPLE_RATE


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
