"""Checkpoints into modules, strictly, and onto the disk, atomically."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from a2v_core.checkpoints import (
    atomic_path,
    load_strict,
    read_checkpoint,
    refuse_overwrite,
    write_safetensors,
)
from a2v_core.errors import A2VError, CheckpointError
from tests.checkpoint_files import TENSORS, assert_tensors, linear


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes: writing more fails as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_load_strict_converts_to_the_module_dtype(dtype: torch.dtype, device: str) -> None:
    module = linear().to(device)
    load_strict(module, {key: value.to(dtype) for key, value in TENSORS.items()}, "m.pth", "Linear")
    assert_tensors(dict(module.state_dict()))
    assert all(value.requires_grad and value.dtype == torch.float32 for value in module.parameters())


def test_load_strict_lists_everything_and_changes_nothing() -> None:
    module = linear()
    before = module.state_dict()["a.weight"].clone()
    wrong = {"a.weight": torch.zeros(4, 3), **{f"x{n}": torch.zeros(1) for n in range(7)}}
    with pytest.raises(CheckpointError) as caught:
        load_strict(module, wrong, "m.pth", "Linear")
    message = str(caught.value)
    assert message.startswith("m.pth: expected Linear weights")
    assert "1 missing: a.bias" in message
    assert "7 unexpected: x0, x1, x2, x3, x4 and 2 more" in message
    assert "a.weight is [4, 3], expected [2, 3]" in message
    assert torch.equal(module.state_dict()["a.weight"], before)


def test_load_strict_refuses_whole_numbers_for_weights() -> None:
    with pytest.raises(CheckpointError, match=r"a\.weight is torch\.int8, expected torch\.float32"):
        load_strict(linear(), TENSORS | {"a.weight": torch.ones(2, 3, dtype=torch.int8)}, "m.pth", "Linear")


def test_load_strict_says_where_another_model_belongs() -> None:
    mapper = {"fc1.weight": torch.zeros(1), "fga.x": torch.zeros(1)}
    with pytest.raises(
        CheckpointError, match="looks like an AudioMapper, which belongs in models/a2v_mappers"
    ):
        load_strict(linear(), mapper, "m.pth", "BEATs encoder")


def test_writing_untangles_shared_and_strided_tensors(tmp_path: Path) -> None:
    table = torch.arange(6.0).view(2, 3)
    write_safetensors(
        tmp_path / "m.safetensors", {"x": table, "y": table, "z": table.T, "part": table[1]}, {}
    )
    found = load_file(tmp_path / "m.safetensors")
    assert torch.equal(found["x"], table)
    assert torch.equal(found["y"], table)
    assert torch.equal(found["z"], table.T)
    assert torch.equal(found["part"], table[1])


def test_a_failing_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    write_safetensors(path, TENSORS, {})
    before = path.read_bytes()
    with room_for(100_000), pytest.raises(CheckpointError, match=r"cannot be written.*free space"):
        write_safetensors(path, {"large": torch.zeros(100_000)}, {})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_raises_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with atomic_path(path) as part:
            part.write_bytes(b"half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone.m\.safetensors: cannot be written"):
        write_safetensors(tmp_path / "gone" / "m.safetensors", TENSORS, {})


def test_a_write_that_hits_a_folder_is_named_and_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").mkdir()
    with pytest.raises(CheckpointError, match="cannot be written"):
        write_safetensors(tmp_path / "m.safetensors", TENSORS, {})
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]


def test_refuse_overwrite(tmp_path: Path) -> None:
    refuse_overwrite(tmp_path / "new")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(A2VError, match="exists already and is not overwritten"):
        refuse_overwrite(tmp_path / "dangling")


def test_written_files_can_be_read_by_others(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "a.safetensors", {"a": torch.zeros(1)}, {})
    assert (tmp_path / "a.safetensors").stat().st_mode & 0o777 == 0o644


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    """safetensors opens no such path by itself; and no message stops what has to print it."""
    path = tmp_path / os.fsdecode(b"caf\xe9.safetensors")
    write_safetensors(path, TENSORS, {"cfg": "{}"})
    assert_tensors({key: read_checkpoint(path).tensors[key] for key in TENSORS})
    path.write_bytes(b"half")
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    assert rf"{tmp_path}/caf\udce9.safetensors: truncated" in str(caught.value)
    assert str(caught.value).encode()
