"""Held-out clips while training: loss, best mapper, videos with their sound, AV-Align, TensorBoard."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from a2v_core.audio import load_audio
from a2v_core.checkpoints import read_checkpoint
from a2v_core.media import probe_video, read_video
from a2v_core.tokens import load_mapper
from training.cache.build import precompute
from training.config import Config, make_config
from training.loop import fit
from training.loop.validate import mean_score
from training.parts import read_lines


def events(folder: Path) -> dict[str, list[Any]]:
    """Everything in a TensorBoard folder, by tag."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0, "audio": 0})
    board.Reload()
    found: dict[str, list[Any]] = {tag: board.Scalars(tag) for tag in board.Tags()["scalars"]}
    found |= {tag: board.Images(tag) for tag in board.Tags()["images"]}
    return found | {tag: board.Audio(tag) for tag in board.Tags()["audio"]}


@pytest.fixture
def validated(values: dict[str, Any]) -> Config:
    values["run"] |= {"steps": 4}
    values["loss"] = {"condition_dropout": 0.2}
    values["validation"] |= {
        "every": 2,
        "loss_clips": 2,
        "videos": 2,
        "steps": 2,
        "guidance_scale": 4.0,
        "away_from": "no_sound",
    }
    values["logging"] = {"every": 2}
    return make_config(values)


def test_validation_from_a_cache(validated: Config) -> None:
    config = validated
    precompute(config, progress=False)
    result = fit(config, progress=False)
    lines = read_lines(config.output_dir / "validation.jsonl")
    assert [line["step"] for line in lines] == [2, 4]
    assert all(math.isfinite(line["loss"]) for line in lines)

    assert result.best == config.output_dir / "best.safetensors"
    better = min(lines, key=lambda line: line["loss"])
    assert load_mapper(result.best).config.facts["steps"] == better["step"]

    for step in (2, 4):
        folder = config.output_dir / "videos" / f"step-{step:08d}"
        assert sorted(path.name for path in folder.iterdir()) == ["test_e.mp4", "test_f.mp4"]
        info = probe_video(folder / "test_e.mp4")
        assert (info.fps, info.width, info.height, info.has_audio) == (8.0, 16, 16, True)
        assert len(read_video(folder / "test_e.mp4").frames) == 4
        sound = load_audio(folder / "test_e.mp4")
        assert float(sound.samples.abs().max()) > 0.1
        # The fifth clip was written with a tone of 1100 Hz, the sixth of 1320 Hz.
        spectrum = torch.fft.rfft(sound.samples[0, :8000]).abs()
        assert abs(int(spectrum.argmax()) * 2 - 1100) < 20

    board = events(config.output_dir / "tensorboard")
    for tag in ("loss", "mse", "temp_l1", "learning_rate", "grad_norm", "l1_pull", "clips_per_second"):
        assert [event.step for event in board[tag]] == [1, 2, 4]
    curve = read_lines(config.output_dir / "metrics.jsonl")
    assert board["loss"][2].value == pytest.approx(curve[3]["loss"])
    assert [event.value for event in board["validation/loss"]] == pytest.approx([x["loss"] for x in lines])
    assert board["video/test/e.mp4"][0].encoded_image_string.startswith(b"GIF89a")
    assert [event.step for event in board["sound/test/f.mp4"]] == [2, 4]


def test_validation_does_not_change_the_training(validated: Config, values: dict[str, Any]) -> None:
    precompute(validated, progress=False)
    fit(validated, progress=False)
    values["cache"] |= {"dir": str(validated.cache_dir)}
    values["output_dir"] += "-without"
    values["validation"] |= {"every": 0}
    plain = make_config(values)
    fit(plain, progress=False)
    one, two = (c.output_dir / "metrics.jsonl" for c in (validated, plain))
    assert one.read_bytes() == two.read_bytes()


def test_validation_without_a_cache(validated: Config, values: dict[str, Any]) -> None:
    precompute(validated, progress=False)
    fit(validated, progress=False)
    values["output_dir"] += "-direct"
    direct = make_config(values)
    fit(direct, progress=False)
    one, two = (read_lines(c.output_dir / "validation.jsonl") for c in (validated, direct))
    assert [line["loss"] for line in one] == pytest.approx([line["loss"] for line in two], rel=1e-5)


def test_nothing_held_out_is_said(
    values: dict[str, Any], clips: Path, caplog: pytest.LogCaptureFixture
) -> None:
    values["data"] |= {"root": str(clips / "train"), "test_share": 0.0}
    values["run"] |= {"steps": 1}
    values["validation"] |= {"every": 1, "loss_clips": 2, "videos": 1}
    config = make_config(values)
    with caplog.at_level(logging.WARNING):
        result = fit(config, progress=False)
    assert "no held-out clips, so no validation; see data.test_share" in caplog.text
    assert result.best is None
    assert len(read_checkpoint(result.trained).tensors) == 17


def test_undefined_scores_do_not_count() -> None:
    assert mean_score([0.5, None, 1.0]) == 0.75
    assert mean_score([None]) is None
