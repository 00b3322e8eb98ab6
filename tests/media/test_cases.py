"""Files that people really have: gaps, late starts, cut ends, unknown codecs, titles in any encoding.

`cases/README.md` says what is in them: clicks and jumps at CLICKS, 6 s, 24 fps.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from a2v_core.errors import MediaError
from a2v_core.media import VideoFrames, Waveform, file_facts, has_sound, load_audio, probe_video, read_video
from a2v_core.metrics import av_align

CASES = Path(__file__).parent / "cases"
CLICKS = (0.75, 1.5, 2.125, 3.0, 3.625, 4.5, 5.25)
# Seconds by which FFmpeg, that wrote them, shifted the pictures against the sound (Opus needs a start-up).
SHIFTED = {"gap_audio.mkv": 0.007, "gap_no_track_duration.webm": 0.007, "latin1_title.mkv": 0.014}
WHOLE = [
    "plain.mp4",
    "frag.mp4",
    "gap_audio.mp4",
    "latin1_title.avi",
    "latin1_title.mp4",
    "mdhd_zero.mp4",
    "two_tracks_aac_first.mov",
    "two_tracks_apac_first.mov",
    *SHIFTED,
]


def clicks(sound: Waveform) -> list[float]:
    """Seconds at which a click begins: the first loud sample after 0.2 s of quiet."""
    loud = sound.samples.abs().amax(dim=0).numpy()
    at = np.flatnonzero(loud > 0.25 * loud.max())
    first = np.r_[True, np.diff(at) > 0.2 * sound.sample_rate]
    return [float(t) / sound.sample_rate for t in at[first]]


@pytest.mark.parametrize("name", WHOLE)
def test_clicks_are_heard_at_their_times(name: str) -> None:
    sound = load_audio(CASES / name)
    wanted = np.array(CLICKS) - SHIFTED.get(name, 0.0)
    np.testing.assert_allclose(clicks(sound), wanted, atol=0.002)
    assert sound.duration == pytest.approx(6.0, abs=0.02)


@pytest.mark.parametrize("name", WHOLE)
def test_av_align_is_that_of_the_plain_file(name: str) -> None:
    plain = av_align(CASES / "plain.mp4")
    assert plain.score == pytest.approx(0.5833, abs=1e-4)
    result = av_align(CASES / name)
    assert (result.score, result.fps, result.num_frames) == (plain.score, 24, 144)


@pytest.mark.parametrize("name", ["gap_audio.mp4", "gap_audio.mkv"])
def test_packets_that_are_missing_leave_silence(name: str) -> None:
    sound = load_audio(CASES / name)
    rate = sound.sample_rate
    assert sound.samples[:, round(2.35 * rate) : round(2.85 * rate)].abs().max() == 0
    part = load_audio(CASES / name, start=2.5, duration=1.0)
    assert clicks(part) == pytest.approx([0.5 - SHIFTED.get(name, 0.0)], abs=0.002)


def test_a_file_that_starts_within_a_group_of_pictures_has_one_second_0() -> None:
    whole, part = (load_audio(CASES / name) for name in ("trim_copy.mkv", "mid_gop.ts"))
    # The transport stream shows its first picture one second into the other file.
    np.testing.assert_allclose(np.array(clicks(part)) + 1.0, clicks(whole)[1:], atol=0.005)
    images = list(VideoFrames(CASES / "mid_gop.ts"))
    levels = [int(image[2:8, 2:8].mean()) for image in images[:2]]
    other = [int(image[2:8, 2:8].mean()) for image in VideoFrames(CASES / "trim_copy.mkv")][24:26]
    np.testing.assert_allclose(levels, other, atol=3)
    scores = [av_align(CASES / name, variant="trusted") for name in ("trim_copy.mkv", "mid_gop.ts")]
    assert scores[1].score == pytest.approx(scores[0].score, abs=0.02)
    lags = [score.mean_lag_ms or 0.0 for score in scores]
    assert lags[1] == pytest.approx(lags[0], abs=5)


def test_a_browsers_recording() -> None:
    path = CASES / "media_recorder.webm"
    info = probe_video(path)
    assert info.fps == pytest.approx(19.5, abs=0.5)
    assert read_video(path).fps == info.fps
    facts = file_facts(path)
    assert facts.pictures is not None
    assert facts.sound is not None
    assert facts.pictures.end == pytest.approx(5.96, abs=0.01)
    assert facts.sound.end == pytest.approx(5.96, abs=0.015)  # older FFmpegs: the last packet is whole
    np.testing.assert_allclose(clicks(load_audio(path)), np.array(CLICKS) - 0.004, atol=0.002)
    result = av_align(path, variant="trusted")
    assert (result.num_frames, result.fps) == (116, info.fps)
    assert len(result.matches) == 6  # of 7 clicks
    assert result.mean_lag_ms == pytest.approx(-17, abs=3)
    assert result.score == pytest.approx(0.543, abs=0.002)


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("sound_from_3s.mp4", (2.978, 6.007)),
        ("sound_from_3s.mkv", (2.987, 6.007)),
        ("sound_to_2.6s.mkv", (0.0, 2.607)),
    ],
)
def test_sound_that_starts_late_or_ends_early(name: str, sound: tuple[float, float]) -> None:
    facts = file_facts(CASES / name)
    assert facts.pictures is not None
    assert facts.pictures == pytest.approx((0.0, 6.0), abs=0.002)
    assert facts.sound == pytest.approx(sound, abs=0.001)
    assert load_audio(CASES / name).duration == pytest.approx(sound[1], abs=0.02)


@pytest.mark.parametrize("name", ["rf64_cut.wav", "w64_cut.w64", "avi_cut.avi", "webm_cut.webm"])
def test_cut_off(name: str) -> None:
    with pytest.raises(MediaError, match=rf"{name}: cut off after 3\.[456]\d s of sound"):
        load_audio(CASES / name)
    assert load_audio(CASES / name, 0.0, 2.0).duration == 2.0


def test_a_header_that_says_less_than_there_is_drops_nothing() -> None:
    sound = load_audio(CASES / "mdhd_zero.m4a")
    assert sound.duration == pytest.approx(6.0, abs=0.02)
    np.testing.assert_allclose(clicks(sound), CLICKS, atol=0.002)


def test_a_sound_track_without_a_packet() -> None:
    with pytest.raises(MediaError, match=r"empty_track\.mkv: has a sound track, but no sound in it"):
        load_audio(CASES / "empty_track.mkv")


def test_a_codec_that_nobody_decodes() -> None:
    path = CASES / "unknown_codec.mp4"
    assert not has_sound(path)
    with pytest.raises(MediaError, match=r"unknown_codec\.mp4: its sound cannot be decoded"):
        load_audio(path)
    assert read_video(path, max_frames=2).frames.shape[0] == 2


def test_a_radio_stream_whose_rate_changes() -> None:
    path = CASES / "chained_other_rate.ogg"
    with pytest.raises(MediaError, match=r"chained_other_rate\.ogg: the sample rate changes at 2\.00 s"):
        load_audio(path)
    assert load_audio(path, 0.5, 1.4).duration == 1.4


def test_an_mp3_cut_between_frames_with_an_old_header_loads(caplog: pytest.LogCaptureFixture) -> None:
    assert load_audio(CASES / "mp3_trimmed_old_xing.mp3").duration == pytest.approx(7.446, abs=0.001)
    assert "its header counts more frames than there are" in caplog.text
