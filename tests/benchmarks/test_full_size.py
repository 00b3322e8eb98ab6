"""The full-size benchmark on a tiny model: what it counts is right, what it prints is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks.full_size import FULL, main, matrix_rate
from benchmarks.mid_model import write_models
from tests.benchmarks.tiny import TINY

pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models") / "tiny", TINY).t2v


def test_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = ["--t2v", str(folder), "--dtype", "fp32", "--device", "cpu", "--size", "16", "--steps", "2"]
    assert main([*own, "--frames", "3", "--runs", "2", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    seconds = facts["seconds"]
    assert set(seconds) == {"text", "sampling", "VAE decode", "clip"}
    assert facts["tflop_per_second"] == pytest.approx(facts["unet_tflop"] * 2 / seconds["sampling"])
    assert facts["share"] == pytest.approx(facts["tflop_per_second"] / facts["matrix_tflop_per_second"])
    assert main([*own, "--frames", "6", "--runs", "1", "--json"]) == 0
    longer = json.loads(capsys.readouterr().out)
    # All but the attention across frames and the text of a frame grows with the frames.
    assert 1.9 < longer["unet_tflop"] / facts["unet_tflop"] < 2.2
    assert main([*own, "--frames", "3", "--runs", "1"]) == 0
    assert "of matrix products" in capsys.readouterr().out


def test_a_missing_model_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--t2v", str(tmp_path / "none"), "--device", "cpu"]) == 1
    assert "none" in capsys.readouterr().err


def test_matrix_rate_is_positive() -> None:
    assert matrix_rate(torch.device("cpu"), torch.float32) > 1e8


def test_full_size_is_the_published_one() -> None:
    from diffusers import UNet3DConditionModel

    with torch.device("meta"):
        unet = UNet3DConditionModel(**FULL.unet)
    assert sum(p.numel() for p in unet.parameters()) == 1_411_233_860  # as ModelScope 1.7b
