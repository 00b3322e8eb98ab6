"""Files that are not sound, or no longer whole: one clear error each, and what is still there can be had."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from a2v_core.audio import load_audio
from a2v_core.errors import MediaError
from a2v_core.media import file_facts, probe_video
from a2v_core.media.integrity import _riff_is_cut as riff_is_cut
from a2v_core.metrics.alignment import Settings
from a2v_core.metrics.alignment import score_clip as score_with
from tests.media import clockwork
from tests.media.files import sweep, write_silent_video, write_sound

CODECS = {
    "a.wav": "pcm_s16le",
    "a24.wav": "pcm_s24le",
    "f.wav": "pcm_f32le",
    "a.aiff": "pcm_s16be",
    "a.flac": "flac",
    "a.mp3": "libmp3lame",
    "a.ogg": "libopus",
    "a.m4a": "aac",
    "a.mp4": "aac",
    "a.webm": "libopus",
}


def sound(folder: Path, name: str, seconds: float = 3.0, options: dict[str, str] | None = None) -> Path:
    pictures = 0.0 if name.endswith(("mp4", "webm")) else None
    samples = sweep(48_000, 1, seconds)
    return write_sound(folder / name, samples, 48_000, CODECS[name], pictures_from=pictures, options=options)


def cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


@pytest.mark.parametrize("share", [0.1, 0.6, 0.9])
@pytest.mark.parametrize("name", CODECS)
def test_truncated(tmp_path: Path, name: str, share: float) -> None:
    with pytest.raises(MediaError, match="cut off") as caught:
        load_audio(cut(sound(tmp_path, name), share))
    assert name in str(caught.value)


def test_truncated_streaming_mp4(tmp_path: Path) -> None:
    path = cut(sound(tmp_path, "a.mp4", options={"movflags": "faststart"}), 0.6)
    with pytest.raises(MediaError, match="cut off"):
        load_audio(path)
    assert load_audio(path, 0.0, 0.5).duration == 0.5


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg", "a.webm"])
def test_the_part_before_the_cut_can_be_had(tmp_path: Path, name: str) -> None:
    path = sound(tmp_path, name)
    whole = load_audio(path, 0.1, 0.5)
    part = load_audio(cut(path, 0.6), 0.1, 0.5)
    assert torch.equal(part.samples, whole.samples)


def test_wav_of_unknown_size_is_whole(tmp_path: Path) -> None:
    path = sound(tmp_path, "a.wav")
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert load_audio(path).duration == 3.0


def test_mp3_without_a_header_is_whole_wherever_it_ends(tmp_path: Path) -> None:
    path = cut(sound(tmp_path, "a.mp3", options={"write_xing": "0"}), 0.6)
    assert load_audio(path).duration == pytest.approx(1.8, abs=0.1)


def test_damaged_in_the_middle(tmp_path: Path) -> None:
    path = sound(tmp_path, "a.flac")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = bytes(4000)
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"a\.flac: (damaged|cut off)"):
        load_audio(path)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.wav", b"", "is empty"),
        ("text.wav", b"this is no sound at all\n" * 200, "cannot be read as sound or video"),
        ("noise.mp3", bytes(range(256)) * 40, "cannot be read as sound or video|no sound at all"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nhttp://localhost:9/a.wav\n", "list.m3u8"),
    ],
)
def test_not_a_sound_file(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError, match=says) as caught:
        load_audio(tmp_path / name)
    assert name in str(caught.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.wav", tmp_path):
        with pytest.raises(MediaError, match="no such file"):
            load_audio(path)


def test_video_and_picture_without_sound(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"silent\.mp4: is a video or picture without sound"):
        load_audio(write_silent_video(tmp_path / "silent.mp4"))
    picture = tmp_path / "picture.png"
    with av.open(str(picture), "w", format="image2") as container:
        stream = container.add_stream("png")
        stream.width = stream.height = 16
        stream.pix_fmt = "rgb24"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match="without sound"):
        load_audio(picture)


def test_zero_length(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "none.wav", sweep(16_000, 1, 0.0), 16_000, "pcm_s16le")
    assert path.stat().st_size > 40
    with pytest.raises(MediaError, match="no sound in it"):
        load_audio(path)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_samples_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    samples = sweep(16_000, 1, 0.5)
    samples[0, 4000] = value
    path = write_sound(tmp_path / "bad.wav", samples, 16_000, "pcm_f32le")
    with pytest.raises(MediaError, match=r"bad\.wav: 1 of 8000 samples are NaN or infinite"):
        load_audio(path)
    assert load_audio(path, 0.0, 0.2).samples.shape == (1, 3200)


@pytest.mark.parametrize("seconds", [3.0, 14.0])
def test_start_beyond_the_end(tmp_path: Path, seconds: float) -> None:
    path = sound(tmp_path, "a.wav", seconds)
    with pytest.raises(MediaError, match=f"beyond the end of the sound \\({seconds:.3f} s\\)"):
        load_audio(path, seconds)
    with pytest.raises(MediaError, match="beyond the end"):
        load_audio(path, seconds + 20.0, 1.0)


@pytest.mark.parametrize(
    ("start", "duration"), [(-1.0, 0.0), (0.0, -1.0), (math.nan, 0.0), (0.0, math.nan), (math.inf, 0.0)]
)
def test_times_that_make_no_sense(tmp_path: Path, start: float, duration: float) -> None:
    with pytest.raises(MediaError, match="must be 0 s or more"):
        load_audio(sound(tmp_path, "a.wav"), start, duration)


def test_a_duration_without_a_sample(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="holds no sample"):
        load_audio(sound(tmp_path, "a.wav"), 0.5, 1e-6)


def score_clip(path: Path) -> Any:
    return score_with(path, None, Settings(fast=True))


@pytest.mark.parametrize("read", [probe_video, file_facts, score_clip], ids=["probe", "facts", "score"])
def test_pictures_whose_stamps_jump_by_hours(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    path = tmp_path / "jump.mkv"
    times = (*(n / 8 for n in range(8)), *(4000 + n / 8 for n in range(8)))
    picture = clockwork.Picture("libx264", times, (), Fraction(8))
    clockwork.write(path, clockwork.Sound("libopus", 48000, 1.0, (0.5,)), picture)
    with pytest.raises(MediaError, match=r"jump\.mkv: its time stamps jump by 3999 s after 0\.88 s of video"):
        read(path)


def test_a_video_of_which_no_picture_can_be_decoded(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.mp4", tmp_path / "none.mp4"
    picture = clockwork.Picture("libx264", tuple(n / 8 for n in range(8)), (), Fraction(8))
    clockwork.write(whole, clockwork.Sound("aac", 16000, 1.0, (0.5,)), picture)
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        tracks: Any = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is None:
                continue
            kept: Any = packet
            if packet.stream.type == "video":
                kept = av.Packet(bytes(packet.size))
                kept.pts, kept.dts, kept.time_base = packet.pts, packet.dts, packet.time_base
            kept.stream = tracks[packet.stream.index]
            target.mux(kept)
    assert load_audio(path).samples.shape[1] >= 16000
    with pytest.raises(MediaError, match=r"none\.mp4: cannot be read"):
        probe_video(path)


def test_w64_with_a_chunk_of_absurd_size(tmp_path: Path) -> None:
    """No system can seek that far."""
    path = write_sound(tmp_path / "a.w64", sweep(48_000, 1, 1.0), 48_000, "pcm_s16le")
    content = bytearray(path.read_bytes())
    size = content.index(b"fmt ") + 16
    content[size : size + 8] = struct.pack("<Q", 2**62)
    path.write_bytes(content)
    assert riff_is_cut(path) is True
