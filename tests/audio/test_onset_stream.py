"""Long sounds in pieces equal short ones at once; memory does not grow with the file."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from a2v_core.audio import Waveform
from a2v_core.audio import onset_stream as stream_module
from a2v_core.audio.onset_stream import file_onsets, stream_onsets
from a2v_core.errors import MediaError
from a2v_core.media import load_audio
from a2v_core.metrics import detect_onsets
from benchmarks.av_align_study.scenes import SAMPLE_RATE, Scene, render_sound
from tests.metrics.media import write_sound

GOLDEN = Path(__file__).parents[1] / "golden" / "av_align"


@pytest.mark.parametrize("size", [700, 22050, 600_000])
def test_blocks_of_any_size_give_the_same_envelope(size: int) -> None:
    events = tuple(np.arange(0.4, 39.5, 0.61))
    sound = render_sound(Scene(40.0, 12, 8, (), events))
    whole = detect_onsets(sound)
    samples = sound.samples[0].numpy()
    pieces = stream_onsets(samples[i : i + size] for i in range(0, len(samples), size))
    assert pieces.times == whole.times
    assert pieces.envelope == pytest.approx(whole.envelope, abs=1e-3)


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_longer_than_two_minutes(tmp_path: Path, rate: int, channels: int) -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 0.002, (channels, 125 * rate)).astype(np.float32)
    for start in (np.arange(0.7, 124, 1.3) * rate).astype(int):
        samples[:, start : start + rate // 10] += rng.normal(0, 0.2, rate // 10).astype(np.float32)
    path = tmp_path / "long.wav"
    write_sound(path, samples, rate)
    found, seconds = file_onsets(path)
    whole = detect_onsets(load_audio(path))
    assert seconds == 125.0
    assert found.times == whole.times
    assert found.envelope == pytest.approx(whole.envelope, abs=1e-3)


def test_a_short_file_is_equal_to_the_digit() -> None:
    path = GOLDEN / "clip0_sync_12fps.wav"
    assert file_onsets(path) == (detect_onsets(load_audio(path)), 2.0)


def test_a_broken_long_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    write_sound(path, np.zeros((1, 130 * 8000), np.float32), 8000)
    path.write_bytes(path.read_bytes()[: 125 * 16000])
    with pytest.raises(MediaError, match=r"cut\.wav"):
        file_onsets(path)


def test_only_the_spectrogram_is_kept() -> None:
    """Ten minutes in blocks of a second: the peak is that of the spectrogram, not of the sound's spectra."""
    import tracemalloc

    def minutes() -> Iterator[np.ndarray]:
        rng = np.random.default_rng(0)
        for _ in range(600):
            yield rng.normal(0, 0.1, SAMPLE_RATE).astype(np.float32)

    stream_onsets(iter([np.ones(SAMPLE_RATE, np.float32)]))  # imports and tables
    tracemalloc.start()
    found = stream_onsets(minutes())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.envelope) == 600 * SAMPLE_RATE // 512 + 1
    spectrogram = 4 * 128 * len(found.envelope)
    assert peak < 6 * spectrogram + 60e6
    assert stream_module.WHOLE_SECONDS == 120
    assert detect_onsets(Waveform(torch.zeros(1, 4410), 22050)).times == ()
