"""AV-Align equals the published script on the golden clips, peak for peak, and says where it is undefined."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from a2v_core.audio import Waveform
from a2v_core.errors import A2VError, MediaError
from a2v_core.media import load_audio, read_video, write_video
from a2v_core.metrics import av_align
from benchmarks.av_align_study.scenes import Scene, render_frames

GOLDEN = Path(__file__).parents[2] / "golden" / "av_align"
EXPECTED: dict[str, dict[str, Any]] = json.loads((GOLDEN / "expected.json").read_text())
SILENCE = Waveform(torch.zeros(1, 22050), 22050)


@pytest.mark.parametrize("name", EXPECTED)
def test_equals_the_published_script(name: str) -> None:
    expected = EXPECTED[name]
    result = av_align(GOLDEN / f"{name}.mp4", audio=GOLDEN / f"{name}.wav")
    assert list(result.audio_peaks) == expected["audio_peaks"]
    assert list(result.video_peaks) == expected["video_peaks"]
    assert result.flow == pytest.approx(expected["flow"], abs=1e-7)
    assert result.score == expected["av_align"]
    assert (result.fps, result.num_frames) == (expected["fps"], expected["frames"])


def test_frames_and_a_waveform_score_as_their_files() -> None:
    video, audio = GOLDEN / "clip0_sync_12fps.mp4", GOLDEN / "clip0_sync_12fps.wav"
    clip = read_video(video)
    assert av_align(clip.frames, clip.fps, load_audio(audio)) == av_align(video, audio=audio)
    result = av_align(clip.frames, clip.fps, str(audio))
    assert result.score == 0.8
    assert result.matches == ((1, 0), (2, 1), (3, 2), (4, 3))
    assert (result.variant, result.reason) == ("reference", "")
    assert (result.width, result.height, result.sound_seconds) == (96, 96, 2.0)


def test_a_video_file_is_scored_with_its_own_sound(tmp_path: Path) -> None:
    clip = read_video(GOLDEN / "clip2_sync_30fps.mp4")
    sound = load_audio(GOLDEN / "clip2_sync_30fps.wav")
    write_video(tmp_path / "own.mp4", clip.frames, clip.fps, sound, crf=1)
    result = av_align(tmp_path / "own.mp4")
    expected = EXPECTED["clip2_sync_30fps"]
    # AAC and H.264 change samples and pixels a little, so peaks may move by a step but not by more.
    assert result.audio_peaks == pytest.approx(expected["audio_peaks"], abs=0.024)
    assert result.video_peaks == pytest.approx(expected["video_peaks"], abs=1e-9)
    assert result.score == pytest.approx(expected["av_align"], abs=0.15)


def test_undefined_and_zero_scores_say_why() -> None:
    still = torch.full((12, 16, 16, 3), 0.5)
    moving, sounding = GOLDEN / "clip0_sync_12fps.mp4", GOLDEN / "clip0_sync_12fps.wav"

    nothing = av_align(still, 12, SILENCE)
    assert nothing.score is None
    assert nothing.reason == "undefined: no onset in the sound and no motion peak in the video"

    single = av_align(still[:1], 12, sounding)
    assert (single.score, single.matches, single.flow) == (None, (), ())
    assert single.reason == "undefined: the video has one frame, and motion needs two"

    silent = av_align(moving, audio=SILENCE)
    assert silent.score == 0.0
    assert silent.reason.startswith("zero: no onset in the sound")

    motionless = av_align(still, 12, sounding)
    assert motionless.score == 0.0
    assert motionless.reason.startswith("zero: no motion peak in the video")


@pytest.mark.parametrize("fps", [0, -1.0, float("nan")])
def test_bad_fps_is_refused_for_frames_and_files(fps: float) -> None:
    with pytest.raises(MediaError, match="fps is"):
        av_align(torch.zeros(3, 8, 8, 3), fps, SILENCE)
    with pytest.raises(MediaError, match="fps is"):
        av_align(GOLDEN / "clip0_sync_12fps.mp4", fps, SILENCE)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(MediaError, match="needs their sound"):
        av_align(torch.zeros(3, 8, 8, 3), 12)
    with pytest.raises(MediaError, match=r"clip0_sync_12fps\.mp4"):
        av_align(GOLDEN / "clip0_sync_12fps.mp4")  # has no sound track
    with pytest.raises(A2VError, match="no variant 'modern'"):
        av_align(torch.zeros(3, 8, 8, 3), 12, SILENCE, variant="modern")


def test_the_trusted_score_of_a_file() -> None:
    clip = GOLDEN / "clip0_sync_12fps.mp4"
    result = av_align(clip, audio=clip.with_suffix(".wav"), variant="trusted")
    assert (result.variant, result.tolerance) == ("trusted", 0.17)
    assert result.score == pytest.approx(0.97, abs=0.02)
    assert (result.precision, result.recall) == (1.0, 1.0)
    narrow = av_align(clip, audio=clip.with_suffix(".wav"), variant="trusted", tolerance_ms=20)
    assert narrow.score == 0.0


def test_tolerance_in_milliseconds_holds_at_any_frame_rate() -> None:
    late = GOLDEN / "clip3_late_24fps.mp4"
    scores = [
        av_align(late, audio=late.with_suffix(".wav"), tolerance_ms=tolerance).score
        for tolerance in (None, 1000 / 24, 400.0)
    ]
    assert scores[0] == scores[1] == 0.0
    assert scores[2] is not None
    assert scores[2] > 0.5
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(A2VError, match="The tolerance is"):
            av_align(late, audio=late.with_suffix(".wav"), tolerance_ms=bad)


def test_normalised_flow_compares_across_sizes() -> None:
    small, large = (
        render_frames(Scene(2.0, 12, side, (), (), pixel_noise=0, drift=0.12)) for side in (96, 192)
    )
    plain, normal = (
        [av_align(f, 12, SILENCE, normalise_flow=n) for f in (small, large)] for n in (False, True)
    )
    assert normal[0].flow == pytest.approx([4 * value for value in plain[0].flow])  # 96 px against 384
    assert sum(plain[1].flow) == pytest.approx(2 * sum(plain[0].flow), rel=0.1)
    assert sum(normal[1].flow) == pytest.approx(sum(normal[0].flow), rel=0.1)
