"""--keep best: the seed whose picture goes with the sound stays, and is said to be picked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from a2v_core.headless.server import ComfyServer
from tests.golden_recipe import GOLDEN
from tests.headless.batch.parts import call, copying_prompt, outputs, read_runs, write_sounds
from tests.headless.test_run import write, write_wav

CLIP = GOLDEN / "av_align" / "clip0_sync_12fps"
SEEDS = 4


def shifting_prompt() -> dict[str, Any]:
    """The golden clip without its first frames, as many as the seed says, with the sound: seed 0 is in sync,
    seed 3 is a quarter of a second early."""
    frames = {"image": ["parts", 0], "batch_index": ["shift", 0], "length": 20}
    video = {"images": ["cut", 0], "fps": 12.0, "audio": ["sound", 0]}
    return {
        "video": {"class_type": "LoadVideo", "inputs": {"file": f"{CLIP.name}.mp4"}},
        "parts": {"class_type": "GetVideoComponents", "inputs": {"video": ["video", 0]}},
        "sound": {"class_type": "LoadAudio", "inputs": {"audio": "none.wav"}},
        "shift": {"class_type": "PrimitiveInt", "inputs": {"value": 0}},
        "cut": {"class_type": "ImageFromBatch", "inputs": frames},
        "clip": {"class_type": "CreateVideo", "inputs": video},
        "save": {
            "class_type": "SaveVideo",
            "inputs": {"video": ["clip", 0], "filename_prefix": "v", "format": "mp4", "codec": "h264"},
        },
    }


@pytest.fixture
def batch(comfy_server: ComfyServer, tmp_path: Path) -> list[object]:
    """The command of a batch of one sound that is heard, and one of silence."""
    shutil.copy(f"{CLIP}.mp4", tmp_path)
    (tmp_path / "sounds").mkdir()
    shutil.copy(f"{CLIP}.wav", tmp_path / "sounds" / "hits.wav")
    workflow = write(tmp_path / "api.json", shifting_prompt())
    return [workflow, "--server", comfy_server.url, "--audio", tmp_path / "sounds", "--seeds", SEEDS, "--out"]


def test_the_best_stays_and_the_others_are_told_of(batch: list[object], tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = call(*batch, out, "--keep", "best")
    assert list(outputs(out)) == ["hits_seed0.mp4"]
    assert done.stdout == f"{out / 'hits_seed0.mp4'}\n"
    rows = read_runs(out)
    assert [row["status"] for row in rows] == ["done"] * SEEDS
    corrected = [float(row["corrected"]) for row in rows]
    assert corrected[0] == max(corrected) > corrected[3]
    assert rows[0]["pick"] in ("best", "best, tie")
    assert rows[3]["pick"] == "beaten"
    assert [row["files"] for row in rows] == ["hits_seed0.mp4", "", "", ""]
    found = json.loads((out / "runs.json").read_text())
    (pick,) = found["picks"]
    assert (pick["best"], pick["scored"], pick["undefined"]) == ("hits_seed0", SEEDS, {})
    assert pick["picked_score"] == pytest.approx(corrected[0])
    assert pick["mean_score"] == pytest.approx(sum(corrected) / SEEDS)
    assert f"picked as the best of {SEEDS}, whose mean is {pick['mean_score']:.3f}" in done.stderr
    assert [run["dropped"] for run in found["runs"]][1] == ["hits_seed1.mp4"]

    seconds = [row["seconds"] for row in rows]
    call(*batch, out, "--keep", "best")
    assert [row["seconds"] for row in read_runs(out)] == seconds  # beaten takes do not run again

    call(*batch, out)
    assert sorted(outputs(out)) == [f"hits_seed{seed}.mp4" for seed in range(SEEDS)]
    assert read_runs(out)[0]["seconds"] == seconds[0]
    assert read_runs(out)[0]["pick"] == ""

    (out / "hits_seed0.mp4").unlink()
    call(*batch, out, "--keep", "best", "--json")
    assert list(outputs(out)) == ["hits_seed0.mp4"]


def test_takes_without_a_score_all_stay(batch: list[object], tmp_path: Path) -> None:
    """Silence cannot be scored: nothing is picked, nothing is lost."""
    (tmp_path / "sounds" / "hits.wav").unlink()
    write_wav(tmp_path / "sounds" / "silence.wav", 1.6, pitch=0.0)
    (tmp_path / "sounds" / "bad.wav").write_text("this is no sound")
    out = tmp_path / "out"
    done = call(*batch, out, "--keep", "best", code=3)
    assert sorted(outputs(out)) == [f"silence_seed{seed}.mp4" for seed in range(SEEDS)]
    rows = read_runs(out)[SEEDS:]
    assert {(row["pick"], row["corrected"], row["reason"]) for row in rows} == {
        ("undefined", "", "undefined: the sound is silent")
    }
    assert "silence: nothing picked, no take has a score; 4 undefined: the sound is silent" in done.stderr
    assert "bad: nothing picked, no take has a score" in done.stderr


def test_a_workflow_without_a_video(comfy_server: ComfyServer, tmp_path: Path) -> None:
    prompt = copying_prompt() | {"shift": {"class_type": "PrimitiveInt", "inputs": {"value": 0}}}
    workflow = write(tmp_path / "api.json", prompt)
    write_sounds(tmp_path / "sounds", 2)
    arguments = [workflow, "--server", comfy_server.url, "--audio", tmp_path / "sounds", "--seeds", 2]
    out = tmp_path / "out"
    done = call(*arguments, "--out", out, "--keep", "best", code=2)
    assert (
        "--keep best picks videos by their sound, and this workflow saves none (tone_0_seed0.flac)"
        in done.stderr
    )
    call(*arguments, "--out", out)
    assert len(outputs(out)) == 4
