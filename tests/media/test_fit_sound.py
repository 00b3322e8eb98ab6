"""The sound of a video: exactly as long, in a form that an mp4 can hold."""

from __future__ import annotations

import pytest
import torch

from a2v_core.media import Waveform, fit_sound, resample
from tests.golden_recipe import recipe


@pytest.mark.parametrize(("frames", "fps", "wanted"), [(24, 12.0, 88200), (7, 24.0, 12862), (1, 30.0, 1470)])
def test_it_is_cut_to_the_sample(frames: int, fps: float, wanted: int) -> None:
    samples = recipe("sound", (2, 100000))
    found = fit_sound(Waveform(samples, 44100), frames, fps)
    assert torch.equal(found.samples, samples[:, :wanted])
    assert found.sample_rate == 44100


def test_silence_follows_a_short_one() -> None:
    samples = recipe("sound", (1, 1000))
    found = fit_sound(Waveform(samples, 8000), 4, 8.0).samples
    assert found.shape == (1, 4000)
    assert torch.equal(found[:, :1000], samples)
    assert float(found[:, 1000:].abs().max()) == 0.0


def test_more_than_two_channels_are_mixed_to_one() -> None:
    samples = recipe("sound", (6, 8000))
    found = fit_sound(Waveform(samples, 8000), 8, 8.0).samples
    torch.testing.assert_close(found, samples.mean(dim=0, keepdim=True))


def test_a_rate_that_aac_lacks_becomes_the_next() -> None:
    samples = recipe("sound", (1, 20000))
    found = fit_sound(Waveform(samples, 10000), 8, 8.0)
    assert (found.sample_rate, found.samples.shape) == (11025, (1, 11025))
    expected = resample(samples, 10000, 11025)[:, :11025]
    torch.testing.assert_close(found.samples, expected, atol=1e-3, rtol=0)
