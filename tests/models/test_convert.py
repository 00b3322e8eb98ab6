"""Published files to safetensors with their config, mappers back; what is refused leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from a2v_core.audio import load_beats
from a2v_core.checkpoints import read_checkpoint
from a2v_core.models.__main__ import main
from a2v_core.tokens import load_mapper, save_mapper
from tests.audio.tiny import TINY_CFG, tiny_beats
from tests.tokens.tiny import tiny_config, tiny_mapper

ROOT = Path(__file__).resolve().parents[2]


def test_beats_keeps_keys_values_dtypes_cfg_and_labels(
    beats_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.safetensors"
    assert main(["convert", str(beats_file), str(target)]) == 0
    assert "out.safetensors: BEATs encoder, " in capsys.readouterr().out
    checkpoint = read_checkpoint(target)
    assert json.loads(checkpoint.metadata["cfg"]) == TINY_CFG
    assert json.loads(checkpoint.metadata["label_dict"]) == {"0": "/m/09x0r"}
    original = tiny_beats().state_dict()
    assert checkpoint.tensors.keys() == original.keys()
    assert all(torch.equal(checkpoint.tensors[key], value) for key, value in original.items())


def test_beats_as_json(beats_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.safetensors"
    assert main(["convert", str(beats_file), str(target), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["kind"], report["layers"], report["classes"]) == (
        True,
        "BEATs encoder",
        3,
        5,
    )
    assert report["bytes"] == target.stat().st_size
    assert report["target"] == str(target)


def test_a_mapper_there_and_back(mapper_file: Path, tmp_path: Path) -> None:
    safe, back = tmp_path / "m.safetensors", tmp_path / "back.pth"
    assert main(["convert", str(mapper_file), str(safe), "--base-model", "zeroscope"]) == 0
    assert main(["convert", str(safe), str(back)]) == 0
    assert load_mapper(safe).config.base_model == "zeroscope"
    expected = tiny_mapper().state_dict()
    exported = torch.load(back, weights_only=True)
    assert list(exported) == list(expected)
    assert all(torch.equal(exported[key], expected[key]) for key in expected)


def test_from_the_shell_beside_the_original(mapper_file: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.pth").write_bytes(mapper_file.read_bytes())
    command = [sys.executable, "-m", "a2v_core.models", "convert", str(tmp_path / "mine.pth"), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert done.stderr == ""
    assert report["target"] == str(tmp_path / "mine.safetensors")
    assert report["parameters"] == sum(value.numel() for value in tiny_mapper().parameters())
    assert report["config"]["output_size"] == tiny_config().output_size
    assert load_mapper(tmp_path / "mine.safetensors").config == tiny_config()


def test_an_existing_file_is_left_alone(
    beats_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.safetensors"
    target.write_text("mine")
    assert main(["convert", str(beats_file), str(target), "--json"]) == 1
    printed = capsys.readouterr()
    assert "out.safetensors: exists already and is not overwritten" in printed.err
    assert json.loads(printed.out)["ok"] is False
    assert target.read_text() == "mine"


def test_bad_input_leaves_nothing_behind(
    beats_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "BEATs.pt").write_bytes(beats_file.read_bytes())
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "other.pth")
    vae = {"encoder.conv_in.weight": torch.zeros(1), "decoder.conv_in.weight": torch.zeros(1)}
    torch.save(vae, tmp_path / "vae.pth")
    save_mapper(tmp_path / "aligned.safetensors", tiny_mapper("time_aligned"))
    before = {path.name for path in tmp_path.iterdir()}
    cases = {
        "expected a BEATs or AudioMapper file, found: unknown.; nothing": ["other.pth", "out.safetensors"],
        "found: VAE. It belongs in the vae folder of": ["vae.pth", "out.safetensors"],
        "gone.pth: no such file": ["gone.pth", "out.safetensors"],
        "out.zip: the output has to end in": ["BEATs.pt", "out.zip"],
        "out.pth: the output of a BEATs file has to end in": ["BEATs.pt", "out.pth"],
        "cannot carry this mapper's layout time_aligned": ["aligned.safetensors", "out.pth"],
        "nowhere/out.safetensors: the folder does not exist": ["BEATs.pt", "nowhere/out.safetensors"],
    }
    for says, names in cases.items():
        assert main(["convert", *(str(tmp_path / name) for name in names)]) == 1
        assert says in capsys.readouterr().err
    assert main(["convert", str(beats_file), str(tmp_path / "o.safetensors"), "--base-model", "x"]) == 1
    assert "BEATs has none" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == before


def test_what_is_converted_loads_as_before(beats_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.safetensors"
    assert main(["convert", str(beats_file), str(target)]) == 0
    fbank = torch.randn(2, 40, 128, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        pairs = zip(load_beats(target)(fbank), tiny_beats()(fbank), strict=True)
        assert all(torch.allclose(one, other, atol=2e-6) for one, other in pairs)
