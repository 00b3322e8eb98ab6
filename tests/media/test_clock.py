"""The clock: whatever packets are missing, events are where the time stamps say, within 5 ms."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from a2v_core.audio.onset_stream import _Length, _mono_blocks
from a2v_core.media import VideoFrames, load_audio, write_video
from a2v_core.media.clock import Stamped, measured_rate, place_blocks
from a2v_core.metrics import detect_motion
from tests.media.clockwork import Picture, Sound, clicks_in, heard, write
from training.config import Data
from training.data import Item, cut

WITHIN = 0.005  # seconds
# Codec of the sound and of the picture, options of the container.
FILES = {
    "a.mp4": ("aac", "libx264", {}),
    "fragments.mp4": ("aac", "libx264", {"movflags": "frag_keyframe+delay_moov"}),
    "a.mov": ("aac", "libx264", {}),
    "a.mkv": ("aac", "libx264", {}),
    "pcm.mkv": ("pcm_s16le", "libx264", {}),
    "a.webm": ("libopus", "libvpx", {}),
    "a.ts": ("aac", "libx264", {}),
}
# Ogg dates whole pages of packets, so a gap within a page is not in the file.
SOUNDS = {"a.m4a": "aac", "a.mka": "libopus", "a.ogg": "libopus"}
GRID = [0.4 + 0.4 * n for n in range(9)]


@st.composite
def sounds(draw: st.DrawFn, codec: str, most_gaps: int = 3) -> Sound:
    rate = 48_000 if codec == "libopus" else draw(st.sampled_from([16_000, 22_050, 44_100, 48_000]))
    clicks = tuple(
        n + draw(st.integers(0, 40)) / 1000 for n in draw(st.sets(st.sampled_from(GRID), min_size=2))
    )
    gaps: list[tuple[float, float]] = []
    for first in draw(st.lists(st.floats(0.3, 3.6), max_size=most_gaps)):
        gaps.append((first, first + draw(st.sampled_from([0.02, 0.05, 0.1, 0.35, 0.9]))))
    return Sound(
        codec, rate, 4.2, tuple(sorted(clicks)), tuple(gaps), draw(st.sampled_from([0.0, 0.0, 0.25, 1.5]))
    )


@st.composite
def pictures(draw: st.DrawFn, codec: str, flashes: tuple[float, ...]) -> Picture:
    fps = draw(st.sampled_from([Fraction(12), Fraction(24000, 1001), Fraction(25), Fraction(60)]))
    first = draw(st.sampled_from([0.0, 0.0, 0.2]))
    count = int(6.0 * fps)
    drop = draw(st.sets(st.integers(1, count - 1), max_size=6))
    times = tuple(first + float(n / fps) for n in range(count) if n not in drop)
    return Picture(codec, times, flashes, fps)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=12, derandomize=True)
@given(data=st.data())
def test_events_of_a_video_are_at_their_times(name: str, data: st.DataObject) -> None:
    sound_codec, picture_codec, options = FILES[name]
    sound = data.draw(sounds(sound_codec))
    picture = data.draw(pictures(picture_codec, (1.0, 2.5, 4.0)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path, sound, picture, options)
        zero = picture.times[0]
        wanted = [click + sound.start - zero for click in heard(sound)]
        wanted = [time for time in wanted if time > 0.01]
        wave = load_audio(path)
        _all_near(clicks_in(wave.samples.numpy(), wave.sample_rate), wanted)

        length = _Length()
        streamed = np.concatenate([part for part, _ in _mono_blocks(path, length)])
        np.testing.assert_array_equal(streamed, wave.samples[0].numpy())
        assert length.seconds == wave.duration

        motion = detect_motion(path)
        shown = np.array(motion.frame_times)
        np.testing.assert_allclose(shown, np.array(picture.times) - zero, atol=WITHIN)
        assert motion.fps == pytest.approx(float((len(shown) - 1) / (picture.times[-1] - zero)), rel=0.03)

        item = Item(id=name, video=path, split="train")
        values = {
            "layout": "folder",
            "root": folder,
            "fps": 20.0,
            "num_frames": 20,
            "width": 16,
            "height": 16,
        }
        clip = cut(item, 0, Data.model_validate(values), seed=data.draw(st.integers(0, 9)))
        rate = clip.sound.sample_rate
        inside = [t - clip.start for t in wanted if 0.01 < t - clip.start < 0.93]
        _all_near([t for t in clicks_in(clip.sound.samples.numpy(), rate) if 0.005 < t < 0.935], inside)

        again = Path(folder) / "again.mp4"
        frames = list(VideoFrames(path))
        write_video(again, torch.from_numpy(np.stack(frames)).float() / 255, 25, wave)
        seconds = len(frames) / 25
        copy = load_audio(again)
        assert copy.duration == pytest.approx(seconds, abs=1 / copy.sample_rate)
        kept = [time for time in wanted if time < seconds - 0.1]
        _all_near(clicks_in(copy.samples.numpy(), copy.sample_rate), kept)


@pytest.mark.parametrize("name", SOUNDS)
@settings(max_examples=10, derandomize=True)
@given(data=st.data())
def test_events_of_a_sound_file_are_at_their_times(name: str, data: st.DataObject) -> None:
    # Second 0 of a sound file is its first sample, wherever its stamps begin.
    sound = replace(data.draw(sounds(SOUNDS[name], most_gaps=0 if name == "a.ogg" else 3)), start=0.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path, sound)
        wave = load_audio(path)
        _all_near(clicks_in(wave.samples.numpy(), wave.sample_rate), heard(sound))


RATE = 48_000
BLOCK = 960  # 20 ms


def placed(offsets_ms: Sequence[float | None], rate: int = RATE) -> list[tuple[int, int]]:
    """(position, samples) of blocks of 20 ms, each of whose stamps is off by so many milliseconds."""
    blocks = (
        Stamped(
            None if off is None else number * BLOCK + off * rate / 1000,
            np.full((1, BLOCK), number, np.float32),
        )
        for number, off in enumerate(offsets_ms)
    )
    return [(position, samples.shape[1]) for position, samples in place_blocks(blocks, rate, rate / 1000)]


def steady(count: int, first: int = 0, shift_ms: float = 0.0) -> list[tuple[int, int]]:
    return [(n * BLOCK + round(shift_ms * RATE / 1000), BLOCK) for n in range(first, first + count)]


def test_stamps_that_jitter_move_nothing() -> None:
    rng = np.random.default_rng(0)
    assert placed([0.0, *rng.uniform(-2.5, 2.5, 200)]) == steady(201)
    # Recorders in browsers: single packets come late.
    assert placed([0, 0, 12, 1, 0, 9, 0, 0, 15, 2, 0, 0]) == steady(12)
    # Vorbis, where a short block follows a long one.
    assert placed([0, 10.2, 0, 0, 10.2, 0, 0, 0, 0]) == steady(9)
    assert placed([0, None, None, 300, None]) == steady(3) + steady(2, 3, 300)


def test_steps_that_stay_are_taken() -> None:
    assert placed([0, 0, 0, 600, 600, 600, 600, 600, 600]) == steady(3) + steady(6, 3, 600)
    every_other = [20.0 * n for n in range(8)]
    assert placed(every_other) == [(n * 2 * BLOCK, BLOCK) for n in range(8)]
    assert placed([0, 0, 0, 40]) == steady(3) + steady(1, 3, 40)


def test_a_drift_is_followed_within_the_precision() -> None:
    blocks = placed([0.02 * n for n in range(1000)])
    late = [position - (n * BLOCK + 0.02 * n * 48) for n, (position, _) in enumerate(blocks)]
    assert max(map(abs, late)) <= WITHIN * RATE


def test_blocks_never_overlap() -> None:
    assert placed([0, 0, 0, -10, -10, -10, -10, -10, -10])[3] == (3 * BLOCK, BLOCK // 2)
    assert sum(size for _, size in placed([0, 0, 0, -50, -50, -50, -50, -50])) == 8 * BLOCK - 50 * 48


def test_stamps_that_begin_anew_go_on() -> None:
    joined = [0.0] * 50 + [-1000.0] * 50
    assert placed(joined) == steady(100)
    with_gap = [0.0] * 50 + [-1000.0] * 20 + [-800.0] * 20
    assert placed(with_gap) == steady(70) + steady(20, 70, 200)


def test_the_rate_is_what_the_stamps_say() -> None:
    stamps = [Fraction(n, 20) for n in range(40)]
    assert measured_rate(stamps, Fraction(20)) == 20
    assert measured_rate(stamps, None) == 20
    assert measured_rate(stamps, Fraction(1000)) == 20
    assert measured_rate(stamps[:1], Fraction(30)) == 30
    assert measured_rate([], None) is None
    assert measured_rate([Fraction(0), Fraction(90_000)], None) == Fraction(1, 90_000)
    film = [Fraction(n * 1001, 24000) for n in range(100)]
    assert measured_rate(film, Fraction(24000, 1001)) == Fraction(24000, 1001)
    rounded = [Fraction(round(time * 1000), 1000) for time in film]
    assert measured_rate(rounded, Fraction(24000, 1001)) == Fraction(24000, 1001)


def _all_near(found: list[float], wanted: list[float]) -> None:
    """Every event that is wanted is found within 5 ms; others may be found only where packets are missing."""
    for time in wanted:
        nearest = min(found, key=lambda other: abs(other - time), default=None)
        assert nearest is not None, (found, wanted)
        assert abs(nearest - time) <= WITHIN, (time, nearest, found, wanted)
