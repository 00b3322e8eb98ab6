"""The conversion command: both directions, JSON, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from a2v_core.tokens import load_mapper, save_mapper
from a2v_core.tokens.convert import main
from tests.tokens.tiny import tiny_config, tiny_mapper

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "learned_embeds.pth"
    torch.save({f"module.{key}": value for key, value in tiny_mapper().state_dict().items()}, path)
    return path


def test_there_and_back(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    safe, back = published.with_name("m.safetensors"), published.with_name("back.pth")
    assert main([str(published), str(safe), "--base-model", "zeroscope"]) == 0
    assert main([str(safe), str(back)]) == 0
    assert "AudioMapper, reference layout" in capsys.readouterr().out
    assert load_mapper(safe).config.base_model == "zeroscope"
    expected = tiny_mapper().state_dict()
    exported = torch.load(back, weights_only=True)
    assert list(exported) == list(expected)
    assert all(torch.equal(exported[key], expected[key]) for key in expected)


def test_json_from_the_command_line(published: Path) -> None:
    safe = published.with_name("m.safetensors")
    command = [sys.executable, "-m", "a2v_core.tokens.convert", str(published), str(safe), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert done.stderr == ""
    assert report["output"] == str(safe)
    assert report["parameters"] == sum(value.numel() for value in tiny_mapper().parameters())
    assert report["config"]["output_size"] == tiny_config().output_size
    assert safe.exists()


def test_an_existing_file_is_left_alone(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    safe = published.with_name("m.safetensors")
    safe.write_text("mine")
    assert main([str(published), str(safe), "--json"]) == 1
    printed = capsys.readouterr()
    assert "m.safetensors: exists already and is not overwritten" in printed.err
    assert "exists already" in json.loads(printed.out)["error"]
    assert safe.read_text() == "mine"


def test_bad_input_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "other.pth")
    aligned = tmp_path / "aligned.safetensors"
    save_mapper(aligned, tiny_mapper("time_aligned"))
    cases = {
        "other.pth: expected AudioMapper weights": ["other.pth", "out.safetensors"],
        "gone.pth: no such file": ["gone.pth", "out.safetensors"],
        "out.zip: the output has to end in": ["other.pth", "out.zip"],
        "cannot carry this mapper's layout time_aligned": ["aligned.safetensors", "out.pth"],
    }
    for says, names in cases.items():
        assert main([str(tmp_path / name) for name in names]) == 1
        assert says in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"other.pth", "aligned.safetensors"}
