"""A long sound in overlapping chunks: one grid of steps, no jump where chunks meet."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from a2v_core.audio import encode_audio
from a2v_core.audio.overlap import encode_overlapping
from a2v_core.errors import MediaError
from tests.audio.tiny import tiny_beats

RATE = 16000


def sound(seconds: float, seed: int = 0) -> Tensor:
    return torch.randn(1, 1, round(seconds * RATE), generator=torch.Generator().manual_seed(seed)) * 0.1


@pytest.mark.parametrize("divisor", [1, 2, 4])
@pytest.mark.parametrize("seconds", [0.5, 3.2])
def test_a_sound_of_one_chunk_is_encoded_as_a_whole(divisor: int, seconds: float) -> None:
    model = tiny_beats()
    whole = encode_audio(model, sound(seconds), RATE, divisor)
    found = encode_overlapping(model, sound(seconds), RATE, divisor, chunk_seconds=3.2, overlap_seconds=0.8)
    assert torch.equal(found.layers, whole.layers)
    assert torch.equal(found.times, whole.times)


@pytest.mark.parametrize("divisor", [1, 2, 4])
@pytest.mark.parametrize("seconds", [3.7, 5.0, 8.13])
def test_steps_and_times_are_those_of_the_whole_sound(divisor: int, seconds: float) -> None:
    model = tiny_beats()
    whole = encode_audio(model, sound(seconds), RATE, divisor)
    found = encode_overlapping(model, sound(seconds), RATE, divisor, chunk_seconds=1.6, overlap_seconds=0.48)
    torch.testing.assert_close(found.times, whole.times)
    assert found.layers.shape == whole.layers.shape
    assert (found.duration, found.step_seconds) == (whole.duration, whole.step_seconds)
    assert torch.equal(found.waveform_16k, whole.waveform_16k)


def test_chunks_fade_into_each_other() -> None:
    """Outside an overlap a step is that of its chunk alone; within, it goes over from one to the other."""
    model, samples = tiny_beats(), sound(2.6)
    found = encode_overlapping(model, samples, RATE, chunk_seconds=1.6, overlap_seconds=0.48).layers
    grid = 2560
    first = encode_audio(model, samples[..., : 10 * grid + 240], RATE).layers
    second = encode_audio(model, samples[..., 7 * grid :], RATE).layers
    torch.testing.assert_close(found[:, :, :7], first[:, :, :7])
    torch.testing.assert_close(found[:, :, 10:], second[:, :, 3:])
    for place, share in enumerate((0.25, 0.5, 0.75)):
        mixed = (1 - share) * first[:, :, 7 + place] + share * second[:, :, place]
        torch.testing.assert_close(found[:, :, 7 + place], mixed)


def test_any_rate_and_progress() -> None:
    seen: list[tuple[int, int]] = []
    samples = torch.randn(2, 2, 4 * 44100, generator=torch.Generator().manual_seed(1)) * 0.1
    found = encode_overlapping(
        tiny_beats(), samples, 44100, 2, 1.6, 0.48, progress=lambda done, total: seen.append((done, total))
    )
    assert found.layers.shape[0] == 2
    assert found.duration == pytest.approx(4.0)
    assert seen == [(done, len(seen)) for done in range(1, len(seen) + 1)]


@pytest.mark.parametrize(("chunk", "overlap"), [(1.6, 1.6), (0.05, 0.0), (1.0, -0.5)])
def test_overlap_that_cannot_be(chunk: float, overlap: float) -> None:
    with pytest.raises(MediaError, match="chunk_seconds"):
        encode_overlapping(tiny_beats(), sound(3), RATE, 1, chunk, overlap)
