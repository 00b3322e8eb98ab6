"""Frames are absolute: peaks stay on their frames at any rate, from any file, over ten minutes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a2v_core.errors import A2VError, MediaError
from a2v_core.media import Waveform
from a2v_core.signals import Measured, frame_axis, measure, schedule_of, sound_schedule
from a2v_core.signals.analysis import Curve, Onset, Unit
from a2v_core.signals.schedule import Shape, curve_frames, onset_frames, unit_frames
from tests.media.clockwork import Sound, heard, write
from tests.media.files import write_sound
from tests.signals.sounds import bursts, noise

RATES = [8, 12, 16, 23.976, 24, 25, 30, 60]
MINUTES = 600.0


def late_frames(found: Measured, hits: list[float], fps: float) -> np.ndarray[Any, Any]:
    """Distance in frames from every hit to the frame that has its peak."""
    axis = frame_axis(fps, 0, found.duration)
    peaks = np.flatnonzero(schedule_of(found, "onset", axis).values)
    assert len(peaks) == len(hits)
    return peaks - np.array(hits) * float(axis.fps)


def spread_hits(seconds: float) -> list[float]:
    """Some at the start, in the middle and at the end, none on a border of frames at any of the rates."""
    near = (0.4013, 1.1307, 1.9021)
    return [start + hit for start in (0.0, seconds / 2, seconds - 3) for hit in near]


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_peaks_after_ten_minutes(rate: int) -> None:
    hits = spread_hits(MINUTES)
    found = measure(bursts(hits, MINUTES, rate))
    assert [onset.time for onset in found.onsets] == pytest.approx(hits, abs=0.0005)
    for fps in RATES:
        assert np.abs(late_frames(found, hits, fps)).max() < 0.5 + 0.0005 * fps


@pytest.mark.parametrize(("codec", "ending"), [("libmp3lame", "mp3"), ("aac", "m4a"), ("flac", "flac")])
def test_peaks_of_a_file(tmp_path: Path, codec: str, ending: str) -> None:
    hits = spread_hits(12.0)
    path = write_sound(tmp_path / f"a.{ending}", bursts(hits, 12.0, 44100).samples.numpy(), 44100, codec)
    found = measure(path)
    assert [onset.time for onset in found.onsets] == pytest.approx(hits, abs=0.004)
    for fps in RATES:
        assert np.abs(late_frames(found, hits, fps)).max() < 0.5 + 0.004 * fps


def test_peaks_after_a_gap_stay_where_they_were(tmp_path: Path) -> None:
    sound = Sound("aac", 48000, 8.0, (0.51, 1.53, 3.1, 5.11, 6.57), gaps=((2.0, 4.5),))
    path = tmp_path / "gap.mp4"
    write(path, sound)
    hits = heard(sound)
    assert hits == [0.51, 1.53, 5.11, 6.57]
    found = [onset.time for onset in measure(path).onsets]
    for hit in hits:
        assert min(abs(time - hit) for time in found) < 0.008


def test_a_file_and_its_samples_give_the_same(tmp_path: Path) -> None:
    sound = noise(0.1, 9.3, 44100)
    sound.samples[0, 100_000:] *= 3
    path = write_sound(tmp_path / "a.wav", sound.samples.numpy(), 44100, "pcm_f32le")
    for signal in ("onset", "loudness", "bass", "flux", "rms"):
        from_file, from_memory = (sound_schedule(source, signal, 23.976) for source in (path, sound))
        assert from_file.values == pytest.approx(from_memory.values, abs=1e-6)
        assert from_file.axis == from_memory.axis


def test_the_axis_is_exact() -> None:
    axis = frame_axis(23.976, 0, MINUTES)
    assert (axis.fps, axis.frames) == (Fraction(24000, 1001), 14386)
    assert axis.time_of(14385) == pytest.approx(14385 * 1001 / 24000)
    assert [axis.frame_at(axis.time_of(n)) for n in range(0, 14386, 97)] == list(range(0, 14386, 97))
    assert axis.frame_at(0.49 / float(axis.fps)) == 0
    assert axis.frame_at(0.51 / float(axis.fps)) == 1
    assert len(axis.edges()) == 14387


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ((0.0, 0, 1.0), "fps is 0"),
        ((float("nan"), 0, 1.0), "fps is nan"),
        ((24, -1, 1.0), "frames is -1"),
        ((24, 0, 0.0), "expected more than 0 s"),
        ((24, 10**8, 0.0), "100000000 frames"),
    ],
)
def test_impossible_axes_are_refused(values: tuple[float, int, float], says: str) -> None:
    with pytest.raises(A2VError, match=says):
        frame_axis(*values)


def test_a_wrong_rate_is_told_before_the_sound_is_read() -> None:
    with pytest.raises(MediaError, match="fps is 0"):
        sound_schedule(Path("nowhere.wav"), fps=0)


def test_levels_are_the_mean_over_exactly_a_frame() -> None:
    curve = Curve(np.arange(400, dtype=np.float32), 0.005, Unit.SHARE)
    axis = frame_axis(Fraction(24000, 1001), 48)
    found = curve_frames(curve, axis)
    centre = np.arange(1, 47) * 1001 / 24000
    assert found[1:47] == pytest.approx(centre / 0.005 - 0.5, abs=0.02)
    assert found[0] == pytest.approx(1001 / 24000 / 4 / 0.005 - 0.5, abs=0.06)


def test_no_change_is_lost_at_a_low_rate_and_none_is_made_at_a_high_one() -> None:
    values = np.zeros(400, np.float32)
    values[[37, 38, 251]] = 1.0, 2.0, 3.0
    curve = Curve(values, 0.005, Unit.CHANGE)
    low, high = (curve_frames(curve, frame_axis(fps, 0, 2.0)) for fps in (8, 480))
    assert {n: v for n, v in enumerate(low) if v} == {2: 2.0, 10: 3.0}
    assert high.max() == 3.0
    assert np.flatnonzero(high == 3.0) / 480 == pytest.approx(251.5 * 0.005, abs=0.005)


def test_beyond_the_sound_it_is_silent() -> None:
    found = measure(bursts([0.5], 1.0, 44100), ("onset", "rms", "flux", "loudness"))
    for signal in ("onset", "rms", "flux", "loudness"):
        assert schedule_of(found, signal, frame_axis(24, 240)).values[30:].max() == 0


def test_the_strongest_onset_of_a_frame_counts_and_those_outside_do_not() -> None:
    onsets = [Onset(0.10, 0.3), Onset(0.11, 0.9), Onset(5.0, 1.0)]
    assert onset_frames(onsets, frame_axis(10, 4)).tolist() == [0, 0.9, 0, 0]


def test_parts_of_a_piece_can_share_their_top() -> None:
    curve = Curve(np.full(200, 0.04, np.float32), 0.005, Unit.POWER)
    axis = frame_axis(20, 0, 1.0)
    assert unit_frames(curve, axis) == pytest.approx(np.ones(20))
    assert unit_frames(curve, axis, top=0.4) == pytest.approx(np.full(20, 0.5))


def test_a_signal_that_was_not_measured_is_named() -> None:
    found = measure(bursts([0.5], 1.0, 44100))
    with pytest.raises(A2VError, match="'rms' was not measured"):
        schedule_of(found, "rms", frame_axis(24, 24))


def test_floats_are_plain_numbers() -> None:
    schedule = sound_schedule(bursts([0.5], 1.0, 44100), fps=10, shape=Shape(high=0.8))
    assert schedule.floats() == pytest.approx([0] * 5 + [0.8] + [0] * 4)
    assert {type(value) for value in schedule.floats()} == {float}


def test_silence_gives_zeros(tmp_path: Path) -> None:
    silence = Waveform(bursts([], 1.0, 44100).samples, 44100)
    for signal in ("onset", "rms", "flux", "bass", "loudness"):
        assert sound_schedule(silence, signal).values.tolist() == [0.0] * 24
