"""The storage benchmark on a tiny model: every setting in a process of its own, and a table that is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks.machine import forget_peak, resident_bytes
from benchmarks.mid_model import write_models
from benchmarks.small_machines import SETTINGS, Job, as_text, child, main, measure
from tests.benchmarks.tiny import TINY

pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models") / "tiny", TINY).t2v


def test_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = ["--t2v", str(folder), "--device", "cpu", "--frames", "3", "--steps", "1", "--runs", "1"]
    assert main([*own, "--only", "fp32; fp8", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    full, small = facts["settings"]["fp32"], facts["settings"]["fp8"]
    assert list(facts["settings"]) == ["fp32", "fp8"]
    assert small["unet"] < 0.4 * full["unet"]
    assert small["weights"] < 0.5 * full["weights"]
    for row in (full, small):
        assert 0 < row["unet"] < row["weights"] < row["loaded"] <= row["loading"]
        assert row["peak"] > 0
        assert row["seconds"] > 0
    assert "psnr_db" not in full
    assert small["psnr_db"] > 15


def test_every_setting_makes_the_clip(folder: Path, tmp_path: Path) -> None:
    """Those with offload too: the device that the weights wait beside is the CPU here."""
    job = Job(str(folder), "cpu", frames=2, steps=1, size=16, runs=2, clock="cpu")
    for name, setting in SETTINGS.items():
        found = child(job, setting, tmp_path / f"{name}.npy")
        assert found["seconds"] > 0
    sizes = {(tmp_path / f"{name}.npy").stat().st_size for name in SETTINGS}
    assert sizes == {2 * 16 * 16 * 3 * 4 + 128}


def test_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = ["--t2v", str(folder), "--device", "cpu"]
    assert main([*own, "--only", "fp8, offload"]) == 1
    assert "choose from fp32; fp16; bf16; fp8; fp8, in turn" in capsys.readouterr().err


def test_a_child_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--t2v", str(tmp_path / "none"), "--device", "cpu", "--only", "fp8"]) == 1
    assert "no such folder" in capsys.readouterr().err


def test_text(folder: Path) -> None:
    job = Job(str(folder), "cpu", frames=2, steps=1, size=16, runs=1, clock="cpu")
    facts = measure(job, ["fp32", "bf16"], lambda name: None)
    lines = as_text(facts).splitlines()
    assert lines[3].split() == ["unet", "weights", "loading", "loaded", "peak", "seconds", "psnr_db"]
    assert [line.split()[0] for line in lines[4:]] == ["fp32", "bf16"]
    assert [len(line.split()) for line in lines[4:]] == [7, 8]


def test_the_peak_begins_anew() -> None:
    block = torch.ones(2**26)
    before = resident_bytes()[1]
    del block
    if forget_peak():
        assert resident_bytes()[1] < before
