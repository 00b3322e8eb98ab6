"""Every awkward file: a clear reason, or the right score."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from a2v_core.errors import MediaError
from a2v_core.media import load_audio, write_video
from a2v_core.metrics import detect_motion
from a2v_core.metrics.alignment.clip import Settings, score_clip
from benchmarks.av_align_study.scenes import Scene, render_frames, render_sound
from tests.metrics.media import Frames, write_frames, write_sound

EVENTS = (0.6, 1.2, 1.9)
SCENE = Scene(2.6, 12, 64, EVENTS, EVENTS, seed=3)


@pytest.fixture(scope="module")
def frames() -> Frames:
    return (render_frames(SCENE).numpy() * 255).round().astype(np.uint8)


def with_sound(path: Path) -> Path:
    sound = render_sound(SCENE)
    write_sound(path.with_suffix(".wav"), sound.samples.numpy(), sound.sample_rate)
    return path


def trusted(path: Path) -> float | None:
    record, _ = score_clip(path, None, Settings())
    score: float | None = record["trusted"]
    return score


def test_a_plain_file_as_the_measure_for_the_others(tmp_path: Path, frames: Frames) -> None:
    path = with_sound(tmp_path / "plain.mp4")
    write_frames(path, frames)
    record, curves = score_clip(path, None, Settings())
    assert record["trusted"] == pytest.approx(0.904, abs=0.002)  # the middle of a kick is 60 ms after it
    assert record["audio"] == str(path.with_suffix(".wav"))
    assert len(curves["matches"]) == 3


def test_no_sound_at_all(tmp_path: Path, frames: Frames) -> None:
    write_frames(tmp_path / "mute.mp4", frames)
    says = r"mute\.mp4: is a video or picture without sound; .* put the sound beside it as mute\.wav"
    with pytest.raises(MediaError, match=says):
        score_clip(tmp_path / "mute.mp4", None, Settings())


def test_no_picture(tmp_path: Path) -> None:
    path = with_sound(tmp_path / "song.mp4").with_suffix(".wav")
    with pytest.raises(MediaError, match=r"song\.wav: has no pictures"):
        score_clip(path, None, Settings())


def test_one_frame(tmp_path: Path, frames: Frames) -> None:
    path = with_sound(tmp_path / "one.mp4")
    write_frames(path, frames[:1])
    record, _ = score_clip(path, None, Settings())
    assert (record["av_align"], record["trusted"], record["frames"]) == (None, None, 1)
    assert record["trusted_reason"] == "undefined: the video has one frame, and motion needs two"
    assert (record["roughness"], record["correlation"]) == (None, None)


def test_a_variable_frame_rate(tmp_path: Path) -> None:
    """A phone that drops frames: judged by index, the kicks move; by their own times, they do not."""
    smooth = Scene(2.6, 30, 64, EVENTS, EVENTS, seed=3)
    images = (render_frames(smooth).numpy() * 255).round().astype(np.uint8)
    kept = [i for i in range(len(images)) if i < 12 or 30 <= i < 36 or i >= 51 or i % 3 == 0]
    path = with_sound(tmp_path / "phone.mp4")
    write_frames(path, images[kept], 30, times=[i / 30 for i in kept])
    motion = detect_motion(path)
    assert motion.times == pytest.approx([i / 30 for i in kept], abs=0.002)
    record, curves = score_clip(path, None, Settings())
    assert curves["matches"] == [[0, 0], [1, 1], [2, 2]]
    assert record["trusted"] == pytest.approx(0.89, abs=0.01)
    assert "the frame rate varies; frames count at their own times" in record["trusted_notes"]
    assert detect_motion(path, fps=30).times == ()


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_rotated_phone_video(tmp_path: Path, frames: Frames, turn: int) -> None:
    path = with_sound(tmp_path / "turned.mp4")
    write_frames(path, frames[:, :48], rotation=turn)
    motion = detect_motion(path)
    assert (motion.width, motion.height) == ((64, 48) if turn == 180 else (48, 64))
    upright = with_sound(tmp_path / "upright.mp4")
    write_frames(upright, frames[:, :48])
    assert trusted(path) == pytest.approx(trusted(upright), abs=0.01)


def test_ten_bits(tmp_path: Path, frames: Frames) -> None:
    path = with_sound(tmp_path / "deep.mp4")
    write_frames(path, frames, pixel_format="yuv420p10le")
    assert trusted(path) == pytest.approx(0.904, abs=0.002)


@pytest.mark.parametrize(("height", "width"), [(63, 61), (64, 33)])
def test_an_odd_size(tmp_path: Path, frames: Frames, height: int, width: int) -> None:
    path = with_sound(tmp_path / "odd.mkv")
    write_frames(path, frames[:, :height, :width], pixel_format="yuv444p", codec="libx264")
    motion = detect_motion(path)
    assert (motion.width, motion.height) == (width, height)
    assert trusted(path) is not None


def test_a_broken_and_an_empty_file(tmp_path: Path, frames: Frames) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video")
    for name in ("empty", "text", "missing"):
        with pytest.raises(MediaError, match=rf"{name}\.mp4"):
            score_clip(tmp_path / f"{name}.mp4", None, Settings())


def repeated(source: Path, target: Path, times: int) -> Path:
    """The clip `times` times in a row, without encoding anything again."""
    copies: dict[int, Any] = {}
    start = Fraction(0)
    with av.open(str(target), "w") as writing:
        for _ in range(times):
            end = start
            with av.open(str(source)) as reading:
                for stream in reading.streams:
                    if stream.index not in copies:
                        copies[stream.index] = writing.add_stream_from_template(stream)
                for packet in reading.demux():
                    if packet.pts is None or packet.dts is None or packet.duration is None:
                        continue
                    if start and packet.pts < 0:  # the encoder's start, which a player leaves out
                        continue
                    base = packet.time_base
                    end = max(end, start + (packet.pts + packet.duration) * base)
                    shift = round(start / base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = copies[packet.stream_index]
                    writing.mux(packet)
            start = end
    return target


def test_half_an_hour_needs_little_more_memory_than_two_minutes(tmp_path: Path) -> None:
    """The peaks of two processes, 1794 s against 138 s."""
    script = (
        "import sys; from pathlib import Path\n"
        "from a2v_core.metrics.alignment import Settings, score_clip\n"
        "record, _ = score_clip(Path(sys.argv[1]), None, Settings())\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(record['frames'], record['sound_seconds'], record['num_audio_peaks'], peak.split()[1])"
    )
    scene = Scene(138.0, 2, 32, (0.6,), tuple(np.arange(1.0, 137, 2.0)))
    short = tmp_path / "short.mp4"
    write_video(short, render_frames(scene), 2, render_sound(scene))
    assert load_audio(short, duration=1.0).duration == 1.0
    facts = []
    for path in (short, repeated(short, tmp_path / "half_an_hour.mp4", 13)):
        done = subprocess.run(
            [sys.executable, "-c", script, str(path)],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        )
        facts.append([float(word) for word in done.stdout.split()])
    (frames, seconds, onsets, peak), (all_frames, all_seconds, all_onsets, highest) = facts
    assert all_frames == 13 * frames
    assert all_seconds == pytest.approx(13 * seconds, abs=1)
    assert all_onsets == pytest.approx(13 * onsets, rel=0.02)
    print(f"{peak / 1024:.0f} MB for {seconds:.0f} s, {highest / 1024:.0f} MB for {all_seconds:.0f} s")
    # Half an hour of samples at 22050 Hz is 159 MB, of spectra 650 MB; the mel spectrogram is 40 MB.
    assert highest - peak < 200 * 1024
