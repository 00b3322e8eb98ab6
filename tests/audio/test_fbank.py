"""The filter bank against torchaudio's port of Kaldi and the published preprocessing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchaudio.compliance import kaldi

from a2v_core.audio.fbank import beats_fbank, frame_count, kaldi_fbank


def oracle(waveform: Tensor) -> Tensor:
    banks = [
        kaldi.fbank(
            w[None] * 2**15, num_mel_bins=128, sample_frequency=16000, frame_length=25, frame_shift=10
        )
        for w in waveform
    ]
    return torch.stack(banks)


SOUNDS = {
    "noise": 0.3 * torch.randn(3, 20_000, generator=torch.Generator().manual_seed(0)),
    "tone": 0.9 * torch.sin(torch.arange(16_037) * 0.2)[None],
    "quiet": 1e-5 * torch.randn(1, 8_000, generator=torch.Generator().manual_seed(1)),
    "silence": torch.zeros(2, 5_000),
    "constant": torch.full((1, 5_000), 0.5),
    "one frame": torch.rand(1, 400, generator=torch.Generator().manual_seed(2)),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_equals_torchaudio(name: str) -> None:
    expected = oracle(SOUNDS[name])
    actual = kaldi_fbank(SOUNDS[name])
    assert actual.shape == expected.shape
    torch.testing.assert_close(actual, expected, atol=1e-3, rtol=0)


def test_equals_the_published_preprocessing(golden: dict[str, Tensor]) -> None:
    torch.testing.assert_close(beats_fbank(golden["waveform_2s"]), golden["fbank_2s"], atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("seconds", "frames"), [(0.5, 48), (1, 98), (1.5, 148), (2, 198), (3, 298), (4, 398), (10, 998)]
)
def test_number_of_frames(seconds: float, frames: int) -> None:
    samples = round(seconds * 16_000)
    assert frame_count(samples) == frames
    assert kaldi_fbank(torch.zeros(1, samples)).shape == (1, frames, 128)


def test_less_than_a_frame_is_none() -> None:
    assert kaldi_fbank(torch.zeros(2, 399)).shape == (2, 0, 128)


def test_long_sounds_are_computed_in_parts() -> None:
    minutes = 0.1 * torch.randn(1, 160 * 33_000, generator=torch.Generator().manual_seed(3))
    whole = kaldi_fbank(minutes)
    around = kaldi_fbank(minutes[:, 160 * 32_760 : 160 * 32_780])
    torch.testing.assert_close(whole[:, 32_760 : 32_760 + around.shape[1]], around, atol=1e-4, rtol=0)
    assert whole.shape[1] == frame_count(minutes.shape[1])


def test_tables_made_in_inference_mode_serve_training_later() -> None:
    with torch.inference_mode():
        kaldi_fbank(torch.zeros(1, 800))
    waveform = SOUNDS["noise"].clone().requires_grad_()
    kaldi_fbank(waveform).sum().backward()
    assert waveform.grad is not None
    assert waveform.grad.abs().sum() > 0
