"""An audio adapter's file holds all of it, and nothing else passes for one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from a2v_core.backbones.dit import load_adapter, save_adapter
from a2v_core.checkpoints import read_checkpoint
from a2v_core.errors import CheckpointError
from a2v_core.tokens import save_mapper
from tests.backbones.dit.tiny import tiny_adapter, trained


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_adapter(tmp_path / "adapter.safetensors", trained(tiny_adapter()))
    return tmp_path / "adapter.safetensors"


def test_it_comes_back_whole(path: Path) -> None:
    adapter, found = trained(tiny_adapter()), load_adapter(path)
    assert found.config == adapter.config
    assert found.config.facts == {"steps": 3}
    assert found.mapper.config == adapter.mapper.config
    expected = adapter.state_dict()
    assert found.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in found.state_dict().items())
    assert not found.training


def test_a_mapper_is_not_an_adapter(tmp_path: Path) -> None:
    save_mapper(tmp_path / "mapper.safetensors", tiny_adapter().mapper)
    with pytest.raises(CheckpointError, match=r"mapper\.safetensors: is not an audio adapter"):
        load_adapter(tmp_path / "mapper.safetensors")


def test_missing_weights_and_broken_configs_are_named(path: Path) -> None:
    metadata = read_checkpoint(path).metadata
    tensors = load_file(path)
    del tensors["attention.2.out.weight"]
    save_file(tensors, path, metadata)
    with pytest.raises(CheckpointError, match=r"attention\.2\.out\.weight"):
        load_adapter(path)
    for text, says in (("{", "broken JSON"), ("[]", "expected a JSON object"), ("{}", "a value is missing")):
        save_file(tensors, path, metadata | {"a2v_adapter_config": text})
        with pytest.raises(CheckpointError, match=says):
            load_adapter(path)
    save_file(tensors, path, metadata | {"a2v_adapter_config": '{"colour": 1}'})
    with pytest.raises(CheckpointError, match="unknown colour; update this pack"):
        load_adapter(path)
