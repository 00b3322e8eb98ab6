"""Video files: what is written is what readers and OpenCV see, and a failure leaves nothing behind."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from a2v_core.audio import Waveform
from a2v_core.errors import MediaError
from a2v_core.media import VideoFrames, frame_rate, probe_video, read_video, to_uint8, write_video

GOLDEN = Path(__file__).parents[1] / "golden" / "av_align"
PAINTS = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0], [0.5, 0.2, 0.8]])


def paint(count: int, height: int = 32, width: int = 32) -> torch.Tensor:
    """Frames [F, H, W, 3] of one colour each."""
    return PAINTS[torch.arange(count) % len(PAINTS)][:, None, None].expand(count, height, width, 3)


def tone(seconds: float, rate: int = 16000, channels: int = 1) -> Waveform:
    wave = 0.5 * torch.sin(torch.arange(round(seconds * rate)) * (2 * torch.pi * 440 / rate))
    return Waveform(wave.repeat(channels, 1), rate)


def decode_sound(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def durations(path: Path) -> dict[str, Fraction]:
    """Stated length of each stream in seconds."""
    with av.open(str(path)) as container:
        return {s.type: (s.duration or 0) * (s.time_base or Fraction(0)) for s in container.streams}


def boxes(path: Path) -> list[Path]:
    return sorted(path.iterdir())


@pytest.mark.parametrize(
    ("count", "fps", "rate"),
    [
        (1, 12, Fraction(12)),
        (24, 12.0, Fraction(12)),
        (7, 29.97, Fraction(30000, 1001)),
        (7, 23.976, Fraction(24000, 1001)),
        (30, 12.5, Fraction(25, 2)),
        (5, Fraction(7, 3), Fraction(7, 3)),
        (3, 0.5, Fraction(1, 2)),
        (60, 120, Fraction(120)),
    ],
)
def test_frames_rate_and_sound_length_are_exact(
    tmp_path: Path, count: int, fps: float, rate: Fraction
) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, paint(count), fps, tone(1.0))
    clip, info = read_video(path), probe_video(path)
    assert clip.frames.shape == (count, 32, 32, 3)
    assert clip.frames.dtype == torch.float32
    assert (info.rate, info.width, info.height, info.has_audio) == (rate, 32, 32, True)
    assert clip.fps == float(rate)
    seconds = count / rate
    assert durations(path) == {"video": seconds, "audio": Fraction(round(seconds * 16000), 16000)}
    assert boxes(tmp_path) == [path]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2), (64, 64), (63, 65), (64, 33), (480, 854)])
def test_colours_survive_at_every_size_and_odd_edges_repeat(tmp_path: Path, height: int, width: int) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, paint(6, height, width), 24)
    frames = read_video(path).frames
    assert frames.shape == (6, height + height % 2, width + width % 2, 3)
    torch.testing.assert_close(frames, paint(6, *frames.shape[1:3]), atol=2.5 / 255, rtol=0)
    assert not probe_video(path).has_audio


def test_opencv_reads_the_same_pixels_and_rate(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, paint(6, 48, 64), 29.97)
    for video in (path, GOLDEN / "clip4_random_12fps.mp4"):
        capture, count = cv2.VideoCapture(str(video)), 0
        assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(probe_video(video).fps, abs=1e-9)
        for image in VideoFrames(video):
            ok, bgr = capture.read()
            assert ok
            np.testing.assert_array_equal(image, bgr[..., ::-1])
            count += 1
        assert not capture.read()[0]
        assert count == (6 if video == path else 48)


def test_sound_starts_with_the_picture_and_is_cut_or_padded(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, paint(24), 24, tone(3.0))  # cut to 1 s
    decoded = decode_sound(path)[0]
    assert 16000 <= len(decoded) <= 16000 + 1023
    np.testing.assert_allclose(decoded[512:15488], tone(1.0).samples[0, 512:15488], atol=0.06)

    write_video(path, paint(24), 24, tone(0.5))  # padded to 1 s
    decoded = decode_sound(path)[0]
    np.testing.assert_allclose(decoded[512:7488], tone(0.5).samples[0, 512:7488], atol=0.06)
    assert np.abs(decoded[9024:]).max() < 1e-3


@pytest.mark.parametrize(
    ("channels", "rate", "channels_out", "rate_out"),
    [
        (1, 48000, 1, 48000),
        (2, 44100, 2, 44100),
        (3, 22050, 1, 22050),
        (8, 16000, 1, 16000),
        (1, 4000, 1, 8000),
        (2, 11000, 2, 11025),
        (1, 96000, 1, 96000),
        (2, 192000, 2, 96000),
    ],
)
def test_any_channels_and_rate_play(
    tmp_path: Path, channels: int, rate: int, channels_out: int, rate_out: int
) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, paint(12), 12, tone(1.0, rate, channels))
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.name == "aac"
        assert (stream.codec_context.channels, stream.rate) == (channels_out, rate_out)
    assert durations(path)["audio"] == 1
    decoded = decode_sound(path)
    middle = slice(rate_out // 4, rate_out // 2)
    for channel in decoded:
        np.testing.assert_allclose(channel[middle], tone(1.0, rate_out).samples[0, middle], atol=0.06)


def test_chunks_as_they_come_equal_one_tensor_and_interleave(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole.mp4", tmp_path / "parts.mp4"
    frames = torch.rand(96, 16, 16, 3, generator=torch.Generator().manual_seed(0))
    write_video(whole, frames, 12, tone(8.0))
    write_video(parts, (chunk for chunk in frames.split([1, 5, 0, 50, 40])), 12, tone(8.0))
    torch.testing.assert_close(read_video(parts).frames, read_video(whole).frames, atol=0, rtol=0)
    np.testing.assert_array_equal(decode_sound(parts), decode_sound(whole))

    seen = {"video": 0.0, "audio": 0.0}
    with av.open(str(parts)) as container:
        for packet in container.demux():
            if packet.dts is not None and packet.time_base is not None:
                seen[packet.stream.type] = float(packet.dts * packet.time_base)
                assert abs(seen["video"] - seen["audio"]) < 1.0  # a player need not seek between the two


@pytest.mark.parametrize("error", [RuntimeError("model failed"), KeyboardInterrupt()])
@pytest.mark.parametrize("done", [0, 2])
def test_a_failure_on_the_way_leaves_nothing_and_keeps_the_old_file(
    tmp_path: Path, error: BaseException, done: int
) -> None:
    def chunks() -> Iterator[torch.Tensor]:
        for _ in range(done):
            yield paint(30)
        raise error

    path = tmp_path / "clip.mp4"
    with pytest.raises(type(error)):
        write_video(path, chunks(), 12, tone(1.0))
    assert boxes(tmp_path) == []
    path.write_bytes(b"older")
    with pytest.raises(type(error)):
        write_video(path, chunks(), 12)
    assert boxes(tmp_path) == [path]
    assert path.read_bytes() == b"older"


BAD_FRAMES: dict[str, torch.Tensor | list[torch.Tensor]] = {
    "no frames to write": torch.zeros(0, 8, 8, 3),
    r"shape \(4, 8, 8\)": torch.zeros(4, 8, 8),
    r"shape \(4, 8, 8, 4\).*alpha": torch.zeros(4, 8, 8, 4),
    r"shape \(4, 0, 8, 3\).*at least 1 pixel": torch.zeros(4, 0, 8, 3),
    "torch.uint8: expected floats": torch.zeros(4, 8, 8, 3, dtype=torch.uint8),
    "NaN": torch.full((4, 8, 8, 3), float("nan")),
    r"change size from \(8, 8\) to \(8, 10\)": [torch.zeros(2, 8, 8, 3), torch.zeros(2, 8, 10, 3)],
}


@pytest.mark.parametrize("message", BAD_FRAMES)
def test_bad_frames_are_refused(tmp_path: Path, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        write_video(tmp_path / "clip.mp4", BAD_FRAMES[message], 12)
    assert boxes(tmp_path) == []


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), 1e6])
def test_bad_fps_is_refused(tmp_path: Path, fps: float) -> None:
    with pytest.raises(MediaError, match="fps is"):
        write_video(tmp_path / "clip.mp4", paint(2), fps)


def test_bad_targets_and_sounds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"must end in \.mp4"):
        write_video(tmp_path / "clip.avi", paint(2), 12)
    with pytest.raises(MediaError, match="does not exist"):
        write_video(tmp_path / "nowhere" / "clip.mp4", paint(2), 12)
    for samples, message in [
        (torch.zeros(1, 0), "at least one each"),
        (torch.zeros(100), "expected \\[channels, samples\\]"),
        (torch.full((1, 100), float("inf")), "NaN or infinite"),
    ]:
        with pytest.raises(MediaError, match=message):
            write_video(tmp_path / "clip.mp4", paint(2), 12, Waveform(samples, 16000))
    with pytest.raises(MediaError, match=r"cannot be written .*Size is \(2, 20000\)"):
        write_video(tmp_path / "clip.mp4", paint(1, 2, 20000), 12)
    assert boxes(tmp_path) == []


def test_frame_rate_is_the_fraction_people_mean() -> None:
    assert frame_rate(59.94) == Fraction(60000, 1001)
    assert frame_rate(24) == 24
    assert frame_rate(8.25) == Fraction(33, 4)
    assert frame_rate(Fraction(1000, 7)) == Fraction(1000, 7)


def test_to_uint8_rounds_and_clips_every_float_type() -> None:
    values = torch.tensor([-1.0, 0.0, 0.25, 0.5, 1.0, 2.0]).reshape(1, 1, 2, 3)
    for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        assert to_uint8(values.to(kind)).flatten().tolist() == [0, 0, 64, 128, 255, 255]


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, paint(6), 12, tone(0.5))
    whole = path.read_bytes()
    for data, message in [
        (b"", "is empty"),
        (b"no video " * 99, "cannot be read"),
        (whole[:600], "cannot be read"),
    ]:
        path.write_bytes(data)
        for read in (read_video, probe_video):
            with pytest.raises(MediaError, match=rf"clip\.mp4: .*{message}"):
                read(path)
    with pytest.raises(MediaError, match="no such file"):
        read_video(tmp_path / "other.mp4")
    with pytest.raises(MediaError, match="no such file"):
        read_video(tmp_path)
    with pytest.raises(MediaError, match=r"clip0_sync_12fps\.wav: has no pictures"):
        read_video(GOLDEN / "clip0_sync_12fps.wav")


def test_max_frames_stops_early() -> None:
    clip = read_video(GOLDEN / "clip4_random_12fps.mp4", max_frames=3)
    assert clip.frames.shape[0] == 3
    assert clip.fps == 12


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_phone_video_stands_upright(tmp_path: Path, degrees: int) -> None:
    path = tmp_path / "clip.mp4"
    picture = torch.zeros(3, 32, 48, 3)
    picture[:, :16, :24, 0] = 1  # red at the upper left
    write_video(path, picture, 12)
    # The display matrix (a b u c d v x y w) of the track header, as a phone writes it.
    a, b = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    matrix = [a, b, 0, -b, a, 0, 0, 0, 0x4000]
    encoded = b"".join((v * 0x10000).to_bytes(4, "big", signed=True) for v in matrix)
    straight = b"".join((v * 0x10000).to_bytes(4, "big") for v in (1, 0, 0, 0, 1, 0, 0, 0, 0x4000))
    data = path.read_bytes()
    header = data.index(b"tkhd")
    path.write_bytes(data[:header] + data[header:].replace(straight, encoded, 1))

    clip, info = read_video(path), probe_video(path)
    assert (info.height, info.width) == tuple(clip.frames.shape[1:3])
    capture = cv2.VideoCapture(str(path))
    np.testing.assert_array_equal(to_uint8(clip.frames)[0], capture.read()[1][..., ::-1])
    corner = torch.rot90(picture[0], -degrees // 90)
    torch.testing.assert_close(clip.frames[0], corner, atol=0.2, rtol=0)
