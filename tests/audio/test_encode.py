"""Features: hop, chunks, batches, progress, refused sounds."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from a2v_core.audio import BEATs, beats_fbank, encode_audio, to_mono_16k
from a2v_core.errors import A2VError, MediaError
from tests.audio.tiny import tiny_beats


def noise(seconds: float, sounds: int = 1, channels: int = 1, rate: int = 16_000) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return 0.2 * torch.randn(sounds, channels, round(seconds * rate), generator=generator)


def encode_alone(model: BEATs, waveform: Tensor) -> Tensor:
    """[B, N] -> [B, L, T, Q, D] by the plain network."""
    with torch.no_grad():
        return torch.stack(model(beats_fbank(waveform)), dim=1).unflatten(2, (-1, 8))


@pytest.mark.parametrize(
    ("seconds", "steps"),
    [(0.175, 1), (0.5, 3), (1, 6), (1.5, 9), (2, 12), (3, 18), (4, 24), (5, 31), (6, 37), (8, 49), (10, 62)],
)
def test_number_of_steps_is_the_published_one(tiny_model: BEATs, seconds: float, steps: int) -> None:
    features = encode_audio(tiny_model, noise(seconds), 16_000)
    assert features.layers.shape == (1, 3, steps, 8, 32)
    assert features.duration == seconds
    assert features.step_seconds == 0.16
    torch.testing.assert_close(features.times, 0.16 * torch.arange(steps))


def test_features_are_the_layers_of_the_network(tiny_model: BEATs) -> None:
    samples = noise(1.3, sounds=3)
    features = encode_audio(tiny_model, samples, 16_000)
    torch.testing.assert_close(features.layers, encode_alone(tiny_model, samples[:, 0]), atol=1e-6, rtol=0)
    torch.testing.assert_close(features.waveform_16k, samples[:, 0])
    assert not features.layers.requires_grad


@pytest.mark.parametrize("divisor", [2, 4])
def test_a_finer_hop_interleaves_encodings_of_the_shifted_sound(tiny_model: BEATs, divisor: int) -> None:
    samples = noise(1.11)
    features = encode_audio(tiny_model, samples, 16_000, hop_divisor=divisor)
    shift = 2560 // divisor
    total = 0
    for number in range(divisor):
        alone = encode_alone(tiny_model, samples[:, 0, number * shift :])
        torch.testing.assert_close(features.layers[:, :, number::divisor], alone, atol=1e-5, rtol=0)
        total += alone.shape[2]
    assert features.layers.shape[2] == total
    assert features.step_seconds == 0.16 / divisor
    torch.testing.assert_close(features.times, features.step_seconds * torch.arange(total))


def test_the_finest_hop_of_the_shortest_sound(tiny_model: BEATs) -> None:
    features = encode_audio(tiny_model, noise(0.2), 16_000, hop_divisor=4)
    assert features.times.tolist() == [0.0]


@pytest.mark.parametrize("divisor", [1, 4])
def test_chunks_are_encoded_apart(tiny_model: BEATs, divisor: int) -> None:
    samples = noise(5.0)
    features = encode_audio(tiny_model, samples, 16_000, divisor, chunk_seconds=2.0)
    parts = [
        encode_audio(tiny_model, samples[..., start : start + 32_000], 16_000, divisor)
        for start in (0, 32_000, 64_000)
    ]
    torch.testing.assert_close(
        features.layers, torch.cat([part.layers for part in parts], dim=2), atol=1e-5, rtol=0
    )
    times = torch.cat([part.times + 2.0 * number for number, part in enumerate(parts)])
    torch.testing.assert_close(features.times, times)
    assert features.duration == 5.0
    assert (features.times.diff() >= features.step_seconds - 1e-4).all()


def test_a_last_chunk_too_short_for_a_step_is_left_out(tiny_model: BEATs) -> None:
    samples = noise(2.1)
    features = encode_audio(tiny_model, samples, 16_000, chunk_seconds=2.0)
    expected = encode_audio(tiny_model, samples[..., :32_000], 16_000)
    torch.testing.assert_close(features.layers, expected.layers, atol=1e-6, rtol=0)
    assert features.duration == pytest.approx(2.1)


def test_chunks_that_are_no_whole_number_of_samples_do_not_drift(tiny_model: BEATs) -> None:
    chunk = 24 / 70  # 5485.714 samples
    features = encode_audio(tiny_model, noise(8.0), 16_000, chunk_seconds=chunk)
    starts = features.times[::2]
    assert len(starts) == 23
    torch.testing.assert_close(starts, chunk * torch.arange(23), atol=1 / 16_000, rtol=0)


def test_a_chunk_longer_than_the_sound_is_the_sound(tiny_model: BEATs) -> None:
    whole = encode_audio(tiny_model, noise(1.0), 16_000)
    chunked = encode_audio(tiny_model, noise(1.0), 16_000, chunk_seconds=math.inf)
    assert torch.equal(whole.layers, chunked.layers)


def test_channels_and_rate_are_brought_to_mono_16_khz(tiny_model: BEATs) -> None:
    samples = noise(1.0, sounds=2, channels=2, rate=44_100)
    features = encode_audio(tiny_model, samples, 44_100)
    mono = to_mono_16k(samples, 44_100)
    assert mono.shape == (2, 16_000)
    torch.testing.assert_close(features.waveform_16k, mono)
    torch.testing.assert_close(features.layers, encode_alone(tiny_model, mono), atol=1e-6, rtol=0)
    assert features.duration == 1.0


def test_a_half_precision_model_gives_float32_features() -> None:
    # oneDNN 3.10 is wrong on processors with AMX for groups of 8 channels; the published ones have 48.
    expected = encode_audio(tiny_beats(conv_pos_groups=2), noise(1.0), 16_000).layers
    layers = encode_audio(tiny_beats(conv_pos_groups=2).bfloat16(), noise(1.0), 16_000).layers
    assert layers.dtype == torch.float32
    torch.testing.assert_close(layers, expected, atol=0.2, rtol=0)


def test_progress_counts_every_chunk_and_shift(tiny_model: BEATs) -> None:
    calls: list[tuple[int, int]] = []
    encode_audio(
        tiny_model,
        noise(2.6),
        16_000,
        2,
        chunk_seconds=1.0,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(number, 6) for number in range(1, 7)]


def test_progress_can_cancel(tiny_model: BEATs) -> None:
    calls = []

    def cancel(done: int, total: int) -> None:
        calls.append(done)
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_audio(tiny_model, noise(5.0), 16_000, chunk_seconds=1.0, progress=cancel)
    assert calls == [1, 2]


@pytest.mark.parametrize(
    ("samples", "options", "says"),
    [
        (torch.zeros(1, 1, 0), {}, "empty"),
        (torch.full((1, 1, 16_000), math.nan), {}, "NaN"),
        (torch.zeros(1, 16_000), {}, "sounds must be"),
        (noise(1.0), {"chunk_seconds": 0.1}, "chunk_seconds"),
        (noise(1.0), {"chunk_seconds": -1.0}, "chunk_seconds"),
        (noise(1.0), {"chunk_seconds": math.nan}, "chunk_seconds"),
    ],
)
def test_refuses_sounds(tiny_model: BEATs, samples: Tensor, options: dict[str, float], says: str) -> None:
    with pytest.raises(MediaError, match=says):
        encode_audio(tiny_model, samples, 16_000, chunk_seconds=options.get("chunk_seconds", 0.0))


@pytest.mark.parametrize("seconds", [0.001, 0.1, 0.1749])
def test_a_sound_too_short_for_a_step_is_followed_by_silence(
    tiny_model: BEATs, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    sound = noise(seconds)
    short = encode_audio(tiny_model, sound, 16_000)
    padded = torch.cat([sound, torch.zeros(1, 1, 2800 - sound.shape[-1])], dim=-1)
    whole = encode_audio(tiny_model, padded, 16_000)
    assert torch.equal(short.layers, whole.layers)
    assert short.layers.shape[2] == 1
    assert short.duration == sound.shape[-1] / 16_000
    assert "silence is added up to the 0.175 s that BEATs needs" in caplog.text


@pytest.mark.parametrize("divisor", [0, 3, 8])
def test_refuses_other_hops(tiny_model: BEATs, divisor: int) -> None:
    with pytest.raises(A2VError, match="hop divisor"):
        encode_audio(tiny_model, noise(1.0), 16_000, hop_divisor=divisor)
