"""python -m a2v_core.metrics score: one video's facts, for people and for machines."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from a2v_core.audio.io import load_audio
from a2v_core.metrics.__main__ import main
from a2v_core.video.mp4 import read_video, write_video

GOLDEN = Path(__file__).parents[1] / "golden" / "av_align"
CLIP = GOLDEN / "clip0_sync_12fps.mp4"
SOUND = CLIP.with_suffix(".wav")


def test_prints_size_score_chance_and_peaks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(CLIP), "--audio", str(SOUND)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(CLIP),
        "  frames    24",
        "  size      96 x 96",
        "  fps       12",
        "  AV-Align  0.800 (chance 0.270)",
        "  peaks     5 in the sound, 4 in the picture, 4 matched",
    ]


def test_json_from_a_process_takes_the_wav_beside_a_silent_video() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "a2v_core.metrics", "score", str(CLIP), "--json"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    facts = json.loads(done.stdout)
    assert facts.pop("chance") == pytest.approx(0.2700483, abs=1e-6)
    assert len(facts.pop("audio_peaks")) == 5
    assert facts.pop("video_peaks") == pytest.approx([4 / 12, 8 / 12, 14 / 12, 18 / 12])
    assert facts == {
        "video": str(CLIP),
        "audio": str(SOUND),
        "frames": 24,
        "width": 96,
        "height": 96,
        "fps": 12.0,
        "av_align": 0.8,
        "variant": "reference",
        "reason": "",
        "num_audio_peaks": 5,
        "num_video_peaks": 4,
        "num_matches": 4,
    }


def test_own_sound_comes_first_and_undefined_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "still.mp4"
    silence = load_audio(GOLDEN / "clip7_silent_24fps.wav")
    write_video(path, read_video(GOLDEN / "clip5_static_25fps.mp4", max_frames=10).frames, 25, silence)
    path.with_suffix(".wav").write_bytes(SOUND.read_bytes())
    assert main(["score", str(path)]) == 0
    out = capsys.readouterr().out
    assert "  AV-Align  undefined\n  peaks     0 in the sound, 0 in the picture, 0 matched" in out
    assert "  note      undefined: no onset in the sound and no motion peak in the video" in out
    assert main(["score", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["av_align"], facts["chance"], facts["audio"]) == (None, None, str(path))


def test_bad_input_exits_with_one_and_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(tmp_path / "none.mp4")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: {tmp_path / 'none.mp4'}: there is no such file")
    silent = tmp_path / "silent.mp4"
    silent.write_bytes(CLIP.read_bytes())
    assert main(["score", str(silent)]) == 1
    assert f"{silent}" in capsys.readouterr().err
    with pytest.raises(SystemExit) as usage:
        main(["score"])
    assert usage.value.code == 2
