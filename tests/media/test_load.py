"""Sound out of real files: every codec, exact cuts, channels, rates."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from a2v_core.audio import load_audio
from tests.media.files import sweep, write_sound

SECONDS = 1.5


class Codec(NamedTuple):
    name: str
    rate: int
    tolerance: float
    sample_format: str | None = None
    pictures_from: float | None = None


# The tolerance of a lossless codec is half a step of its sample width, that of a lossy one is the mean error.
LOSSLESS = {
    "u8.wav": Codec("pcm_u8", 44100, 1 / 128),
    "s16.wav": Codec("pcm_s16le", 44100, 1 / 2**15),
    "s24.wav": Codec("pcm_s24le", 44100, 1 / 2**23),
    "s32.wav": Codec("pcm_s32le", 44100, 1 / 2**23),
    "f32.wav": Codec("pcm_f32le", 44100, 0),
    "f64.wav": Codec("pcm_f64le", 44100, 0),
    "big-endian.aiff": Codec("pcm_s16be", 44100, 1 / 2**15),
    "s16.flac": Codec("flac", 44100, 1 / 2**15, "s16"),
    "s24.flac": Codec("flac", 44100, 1 / 2**23, "s32"),
    "lossless.m4a": Codec("alac", 44100, 1 / 2**15, "s16p"),
}
LOSSY = {
    "a.mp3": Codec("libmp3lame", 44100, 0.02),
    "a.m4a": Codec("aac", 44100, 0.02),
    "opus.ogg": Codec("libopus", 48000, 0.02),
    "video.mp4": Codec("aac", 44100, 0.02, pictures_from=0.0),
    "video.webm": Codec("libopus", 48000, 0.02, pictures_from=0.0),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_samples(tmp_path: Path, name: str) -> None:
    codec = LOSSLESS[name]
    samples = sweep(codec.rate, 2, SECONDS)
    wave = load_audio(write_sound(tmp_path / name, samples, codec.rate, codec.name, codec.sample_format))
    assert wave.samples.dtype == torch.float32
    assert wave.sample_rate == codec.rate
    assert wave.duration == SECONDS
    torch.testing.assert_close(wave.samples, torch.from_numpy(samples), atol=codec.tolerance, rtol=0)


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_samples_stand_where_they_were(tmp_path: Path, name: str) -> None:
    codec = LOSSY[name]
    samples = sweep(codec.rate, 2, SECONDS)
    path = tmp_path / name
    write_sound(path, samples, codec.rate, codec.name, pictures_from=codec.pictures_from)
    wave = load_audio(path)
    assert (wave.sample_rate, wave.samples.shape) == (codec.rate, samples.shape)
    inside = slice(codec.rate // 4, -codec.rate // 4)
    error = (wave.samples - torch.from_numpy(samples))[:, inside].abs().mean()
    assert error < codec.tolerance
    # A shift by one sample would already show: the mean step from one sample to the next is larger.
    assert codec.tolerance < np.abs(np.diff(samples[:, inside])).mean()


def test_full_scale(tmp_path: Path) -> None:
    samples = np.array([[1.0, -1.0, 0.0, 0.5]], dtype=np.float32)
    for name, codec in [("u8.wav", "pcm_u8"), ("s16.wav", "pcm_s16le"), ("s24.wav", "pcm_s24le")]:
        loaded = load_audio(write_sound(tmp_path / name, samples, 8000, codec)).samples
        assert loaded[0, 1:].tolist() == [-1.0, 0.0, 0.5]
        assert 0.99 < loaded[0, 0] < 1.0


def near(actual: Tensor, whole: Tensor, first: int, tolerance: float) -> None:
    torch.testing.assert_close(actual, whole[:, first : first + actual.shape[1]], atol=tolerance, rtol=0)


@pytest.mark.parametrize("name", LOSSLESS | LOSSY)
def test_start_and_duration_cut_to_the_sample(tmp_path: Path, name: str) -> None:
    codec = (LOSSLESS | LOSSY)[name]
    samples = sweep(codec.rate, 1, SECONDS)
    path = tmp_path / name
    write_sound(path, samples, codec.rate, codec.name, codec.sample_format, codec.pictures_from)
    whole = load_audio(path).samples
    for start, duration in [(0.0, 0.25), (0.123456, 0.3), (1.0, 0.0), (0.7, 5.0)]:
        part = load_audio(path, start, duration).samples
        first = round(start * codec.rate)
        stop = round((start + duration) * codec.rate) if duration else whole.shape[1]
        assert part.shape[1] == min(stop, whole.shape[1]) - first
        near(part, whole, first, 0)


SEEKING = {"long.wav": "pcm_s16le", "long.flac": "flac", "long.mp3": "libmp3lame", "long.m4a": "aac"}
SEEKING |= {"long.mp4": "aac", "long.ogg": "libopus", "long.webm": "libopus", "long.mkv": "aac"}


@pytest.mark.parametrize("name", SEEKING)
def test_a_late_start_is_as_exact(tmp_path: Path, name: str) -> None:
    rate = 48_000
    pictures = 0.0 if name.endswith(("mp4", "webm", "mkv")) else None
    path = write_sound(tmp_path / name, sweep(rate, 1, 16.0), rate, SEEKING[name], pictures_from=pictures)
    whole = load_audio(path).samples
    for start, duration in [(11.0, 0.5), (13.371, 1.0), (14.9, 0.0)]:
        part = load_audio(path, start, duration).samples
        if duration:
            assert part.shape[1] == round((start + duration) * rate) - round(start * rate)
        else:
            assert part.shape[1] == whole.shape[1] - round(start * rate)
        near(part, whole, round(start * rate), 1e-3)


@pytest.mark.parametrize("channels", range(1, 9))
def test_channels(tmp_path: Path, channels: int) -> None:
    samples = sweep(16_000, channels, 0.3)
    wave = load_audio(write_sound(tmp_path / "a.wav", samples, 16_000, "pcm_s24le"))
    torch.testing.assert_close(wave.samples, torch.from_numpy(samples), atol=1e-6, rtol=0)


@pytest.mark.parametrize("channels", [6, 8])
@pytest.mark.parametrize("name", ["a.m4a", "a.ogg", "a.flac"])
def test_surround_sound(tmp_path: Path, name: str, channels: int) -> None:
    codec = (LOSSLESS | LOSSY)[{"a.ogg": "opus.ogg", "a.flac": "s16.flac"}.get(name, name)]
    samples = np.float32(0.1) * np.arange(1, channels + 1, dtype=np.float32)[:, None] * sweep(48_000, 1, 1.0)
    wave = load_audio(write_sound(tmp_path / name, samples, 48_000, codec.name))
    assert wave.samples.shape == samples.shape
    inside = slice(12_000, 36_000)
    loudness = wave.samples[:, inside].square().mean(dim=1).sqrt()
    expected = torch.from_numpy(samples[:, inside]).square().mean(dim=1).sqrt()
    full_range = torch.arange(channels) != 3  # the fourth channel of 5.1 and 7.1 is for bass only
    torch.testing.assert_close(loudness[full_range], expected[full_range], atol=5e-3, rtol=0.1)


@pytest.mark.parametrize("rate", [4000, 8000, 11025, 22050, 32000, 96000, 192000])
def test_rates(tmp_path: Path, rate: int) -> None:
    samples = sweep(rate, 1, 0.4)
    wave = load_audio(write_sound(tmp_path / "a.wav", samples, rate, "pcm_f32le"))
    assert wave.sample_rate == rate
    assert wave.duration == 0.4
    assert torch.equal(wave.samples, torch.from_numpy(samples))


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv"])
def test_sound_that_starts_after_the_picture_is_preceded_by_silence(tmp_path: Path, name: str) -> None:
    rate = 48_000
    samples = sweep(rate, 1, 1.0)
    path = write_sound(tmp_path / name, samples, rate, "aac", pictures_from=0.0, sound_from=0.5)
    wave = load_audio(path)
    assert wave.duration == pytest.approx(1.5, abs=0.03)
    assert wave.samples[:, : round(0.45 * rate)].abs().max() < 0.02
    # An MP4 written by FFmpeg tells the start in milliseconds.
    expected = torch.from_numpy(samples[:, round(0.25 * rate) : round(0.75 * rate)])
    errors = [
        (wave.samples[:, at : at + rate // 2] - expected).abs().mean()
        for at in range(round(0.749 * rate), round(0.751 * rate) + 1)
    ]
    assert min(errors) < 0.02
    assert load_audio(path, 0.1, 0.2).samples.shape == (1, round(0.2 * rate))
    assert load_audio(path, 0.1, 0.2).samples.abs().max() < 0.02


def test_sound_before_the_first_picture_is_left_out(tmp_path: Path) -> None:
    rate = 48_000
    samples = sweep(rate, 1, 2.0)
    path = write_sound(tmp_path / "early.mp4", samples, rate, "aac", pictures_from=0.5)
    wave = load_audio(path)
    assert wave.duration == pytest.approx(1.5, abs=0.001)
    expected = torch.from_numpy(samples[:, rate // 2 :])[:, rate // 4 : rate]
    assert (wave.samples[:, rate // 4 : rate] - expected).abs().mean() < 0.02


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    samples = sweep(44_100, 1, 1.0)
    sound = write_sound(tmp_path / "plain.mp3", samples, 44_100, "libmp3lame", options={"write_id3v2": "0"})
    covered = tmp_path / "covered.mp3"
    covered.write_bytes(_id3_with_cover(_png(tmp_path)) + sound.read_bytes())
    with av.open(str(covered)) as container:
        assert len(container.streams.video) == 1
    assert torch.equal(load_audio(covered).samples, load_audio(sound).samples)


def _png(folder: Path) -> bytes:
    path = folder / "cover.png"
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png")
        stream.width = stream.height = 16
        stream.pix_fmt = "rgb24"
        container.mux(
            stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24"))
        )
        container.mux(stream.encode(None))
    return path.read_bytes()


def _id3_with_cover(picture: bytes) -> bytes:
    body = b"\x00image/png\x00\x03\x00" + picture
    frame = b"APIC" + len(body).to_bytes(4, "big") + b"\x00\x00" + body
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + frame
