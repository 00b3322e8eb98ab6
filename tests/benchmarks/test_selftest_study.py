"""The study of what the scores tell: sets with the right truth, a table of each."""

import json

import numpy as np
import pytest

from benchmarks.selftest_study.__main__ import main, text_of, true_clips
from benchmarks.selftest_study.sets import SECONDS, SETS, clip, shaken


@pytest.mark.parametrize("fps", [12.0, 24.0])
@pytest.mark.parametrize("name", list(SETS))
def test_every_set_has_whole_clips_from_their_number(name: str, fps: float) -> None:
    frames, sound = clip(name, 2, fps)
    assert frames.shape == (SECONDS * fps, 64, 64, 3)
    assert len(sound) == SECONDS * 22050
    again, _ = clip(name, 2, fps)
    np.testing.assert_array_equal(frames, again)
    np.testing.assert_array_equal(clip(name, 2, 36 - fps)[1], sound)


def test_a_shaking_camera_moves_the_whole_picture() -> None:
    dot = np.zeros((40, 64, 64, 3), np.float32)
    dot[:, 32, 32] = 1
    seen = shaken(dot, np.random.default_rng(0), 12.0)
    places = [np.unravel_index(frame[..., 0].argmax(), (64, 64)) for frame in seen]
    steps = np.abs(np.diff(places, axis=0))
    assert 0.4 < steps.mean() < 1.2
    assert seen[..., 0].std() > 0.01


def test_a_coarse_file_keeps_the_events() -> None:
    (found,) = true_clips("plain", 1, 12.0, 35)
    assert found.motion.num_frames == 48
    assert found.motion.times == ()
    assert found.sound.seconds == SECONDS


def test_the_study_prints_a_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--clips", "2", "--fps", "12", "--sets", "plain", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)["plain, 12 fps"]
    assert (record["clips"], record["undefined"]) == (2, 0)
    assert record["trusted"] > 0.95
    assert record["measures"]["trusted"]["perturbations"]["moved 100 ms"]["accuracy"] == 1.0
    assert "moved 100 ms" in text_of("plain", record)
