"""Onsets equal what librosa's own loading and defaults give, for files and for arrays of any rate."""

import warnings
from pathlib import Path

import librosa
import pytest
import torch
from librosa.onset import onset_detect, onset_strength

from a2v_core.audio import Waveform
from a2v_core.errors import MediaError
from a2v_core.media import load_audio
from a2v_core.metrics import detect_onsets

GOLDEN = Path(__file__).parents[1] / "golden" / "av_align"
CLIPS = sorted(GOLDEN.glob("*.wav"))


def clicks(times: list[float], seconds: float, rate: int, channels: int = 1) -> Waveform:
    """Short decaying bursts of noise in silence."""
    wave = torch.zeros(round(seconds * rate))
    length = rate // 20
    noise = torch.randn(length, generator=torch.Generator().manual_seed(0))
    for time in times:
        start = round(time * rate)
        wave[start : start + length] += 0.2 * noise * torch.linspace(1, 0, length) ** 2
    return Waveform(wave.repeat(channels, 1), rate)


@pytest.mark.parametrize("path", CLIPS, ids=lambda path: path.stem)
def test_a_file_gives_the_published_onsets_and_envelope(path: Path) -> None:
    samples, rate = librosa.load(path)
    envelope = onset_strength(y=samples, sr=rate)
    steps = onset_detect(onset_envelope=envelope, sr=rate)
    found = detect_onsets(load_audio(path))
    assert list(found.times) == librosa.frames_to_time(steps, sr=rate).tolist()
    assert list(found.envelope) == envelope.tolist()
    assert found.hop_seconds == 512 / 22050


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 96000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_clicks_are_found_at_any_rate(rate: int, channels: int) -> None:
    found = detect_onsets(clicks([0.5, 0.9, 1.6], 2.0, rate, channels))
    assert found.times == pytest.approx([0.5, 0.9, 1.6], abs=0.03)


def test_channels_count_by_their_mean() -> None:
    left, right = clicks([0.5], 2.0, 22050).samples, clicks([1.2], 2.0, 22050).samples
    found = detect_onsets(Waveform(torch.cat([left, right]), 22050))
    assert found.times == pytest.approx([0.5, 1.2], abs=0.03)
    assert found == detect_onsets(Waveform((left + right) / 2, 22050))


def test_silence_and_a_single_sample_have_no_onset() -> None:
    assert detect_onsets(Waveform(torch.zeros(1, 22050), 22050)).times == ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa on sounds shorter than its window
        assert detect_onsets(Waveform(torch.ones(1, 1), 22050)).times == ()


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (torch.zeros(1, 0), 16000, "at least one each"),
        (torch.zeros(0, 10), 16000, "at least one each"),
        (torch.zeros(10), 16000, r"expected \[channels, samples\]"),
        (torch.full((1, 99), float("nan")), 16000, "99 of 99 samples are NaN"),
        (torch.zeros(1, 10), 0, "sample rate of 0 Hz"),
    ],
)
def test_bad_sounds_are_refused(samples: torch.Tensor, rate: int, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        detect_onsets(Waveform(samples, rate))
