"""Mono at 16 kHz from any rate and any number of channels."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from torch import Tensor

from a2v_core.audio import resample, to_mono_16k
from a2v_core.errors import MediaError
from a2v_core.media.resampling import _resample_soxr

RATES = [4000, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 192000, 44101, 15999]


def sine(rate: int, seconds: float = 0.5, hertz: float = 440.0) -> Tensor:
    return torch.sin(
        2 * math.pi * hertz * torch.arange(round(rate * seconds), dtype=torch.float64) / rate
    ).float()


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_stays_the_tone(rate: int) -> None:
    out = resample(sine(rate), rate, 16_000)
    assert out.shape == (math.ceil(round(rate * 0.5) * 16_000 / rate),)
    inside = slice(500, 7500)
    torch.testing.assert_close(out[inside], sine(16_000)[inside], atol=5e-3, rtol=0)


def test_tones_above_8_khz_are_removed() -> None:
    assert resample(sine(48_000, hertz=12_000), 48_000, 16_000)[500:7500].abs().max() < 1e-2


def test_soxr_agrees_with_torchaudio() -> None:
    tones = torch.stack([sine(44_100), sine(44_100, hertz=1_000)]).unsqueeze(0)
    soxr = _resample_soxr(tones, Fraction(16_000, 44_100))
    both = resample(tones, 44_100, 16_000)
    assert soxr.shape == both.shape == (1, 2, 8_000)
    torch.testing.assert_close(soxr[..., 500:7500], both[..., 500:7500], atol=5e-3, rtol=0)


@pytest.mark.parametrize("channels", range(1, 9))
def test_channels_are_averaged(channels: int) -> None:
    samples = torch.rand(2, channels, 1000, generator=torch.Generator().manual_seed(0))
    mono = to_mono_16k(samples, 16_000)
    torch.testing.assert_close(mono, samples.mean(dim=1))
    torch.testing.assert_close(to_mono_16k(samples[1], 16_000), mono[1])


def test_doubles_come_out_as_floats() -> None:
    assert to_mono_16k(torch.zeros(1, 100, dtype=torch.float64), 8_000).dtype == torch.float32


@pytest.mark.parametrize(
    ("samples", "rate", "says"),
    [
        (torch.zeros(1, 0), 16_000, "empty"),
        (torch.zeros(0, 2, 10), 16_000, "empty"),
        (torch.zeros(10), 16_000, "channels"),
        (torch.zeros(1, 10), 0, "sample rate"),
        (torch.tensor([[0.0, math.nan, math.inf]]), 16_000, "2 of 3 samples are NaN or infinite"),
    ],
)
def test_refuses(samples: Tensor, rate: int, says: str) -> None:
    with pytest.raises(MediaError, match=says):
        to_mono_16k(samples, rate)
