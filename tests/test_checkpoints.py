"""Reading model files, broken ones above all."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import cast

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from a2v_core.checkpoints import (
    read_checkpoint,
    write_safetensors,
)
from a2v_core.errors import CheckpointError
from tests.checkpoint_files import TENSORS, assert_tensors, linear


class Harmful:
    """Pickles to a call: whoever unpickles it carelessly makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_safetensors_with_metadata(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "m.safetensors", TENSORS, {"cfg": "{}"})
    tensors, metadata, extra = read_checkpoint(tmp_path / "m.safetensors")
    assert tensors.keys() == TENSORS.keys()
    assert_tensors({key: tensors[key] for key in TENSORS})
    assert (metadata, extra) == ({"cfg": "{}"}, {})


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.bin", "m.ckpt", "M.PTH"])
@pytest.mark.parametrize("zipped", [True, False])
def test_every_pytorch_ending_and_both_formats(tmp_path: Path, name: str, zipped: bool) -> None:
    torch.save(TENSORS, tmp_path / name, _use_new_zipfile_serialization=zipped)
    assert_tensors(read_checkpoint(tmp_path / name).tensors)


@pytest.mark.parametrize("key", ["model", "state_dict"])
def test_a_nested_state_dict_keeps_what_stands_beside_it(tmp_path: Path, key: str) -> None:
    torch.save({"cfg": {"layers": 12}, key: TENSORS, "step": 5}, tmp_path / "m.pt")
    tensors, metadata, extra = read_checkpoint(tmp_path / "m.pt")
    assert_tensors(tensors)
    assert (metadata, extra) == ({}, {"cfg": {"layers": 12}, "step": 5})


def test_parameters_lose_their_gradient_and_a_common_prefix_goes(tmp_path: Path) -> None:
    torch.save({f"module.{key}": nn.Parameter(value) for key, value in TENSORS.items()}, tmp_path / "m.pth")
    tensors = read_checkpoint(tmp_path / "m.pth").tensors
    assert_tensors(tensors)
    assert not any(value.requires_grad for value in tensors.values())


@pytest.mark.parametrize(
    "wrapped",
    [
        "_orig_mod.{}",  # torch.compile
        "module._orig_mod.{}",
        "_orig_mod.module.{}",
        "module.module.{}",
        "_fsdp_wrapped_module.{}",
        "_orig_mod._fsdp_wrapped_module._checkpoint_wrapped_module.{}",
    ],
)
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_what_wrappers_leave_in_the_keys_goes(tmp_path: Path, wrapped: str, ending: str) -> None:
    tensors = {wrapped.format(key): value for key, value in TENSORS.items()}
    path = tmp_path / f"m.{ending}"
    save_file(tensors, path) if ending == "safetensors" else torch.save(tensors, path)
    found = read_checkpoint(path).tensors
    assert_tensors({key: found[key] for key in TENSORS})
    assert len(found) == len(TENSORS)


def test_wrappers_around_parts_of_a_model_go_too(tmp_path: Path) -> None:
    keys = {
        "unet._orig_mod.conv.weight": "unet.conv.weight",
        "blocks.0._checkpoint_wrapped_module.fc.bias": "blocks.0.fc.bias",
        "text.module.a": "text.module.a",  # a name of the model's own
        "lora_unet__orig_mod_down_blocks_0.alpha": "lora_unet_down_blocks_0.alpha",
        "lycoris__orig_mod_conv_in.lokr_w1": "lycoris_conv_in.lokr_w1",
        "my_orig_mod.b": "my_orig_mod.b",
    }
    torch.save(dict.fromkeys(keys, torch.ones(1)), tmp_path / "m.pth")
    assert list(read_checkpoint(tmp_path / "m.pth").tensors) == list(keys.values())


def test_real_wrappers(tmp_path: Path) -> None:
    """As torch saves them, not as we think that it does."""
    module = linear()
    compiled = cast(nn.Module, torch.compile(module))
    averaged = torch.optim.swa_utils.AveragedModel(compiled)
    for wrapped in (compiled, nn.DataParallel(module), averaged):
        torch.save(wrapped.state_dict(), tmp_path / "m.pth")
        assert read_checkpoint(tmp_path / "m.pth").tensors.keys() == module.state_dict().keys()


def test_names_that_would_clash_stay(tmp_path: Path) -> None:
    tensors = {"_orig_mod.a": torch.zeros(1), "a": torch.ones(1)}
    torch.save(tensors, tmp_path / "m.pth")
    assert list(read_checkpoint(tmp_path / "m.pth").tensors) == list(tensors)


@pytest.mark.parametrize("key", ["ema", "model_ema", "ema_state_dict", "module", "model_state_dict"])
def test_state_dicts_of_trainers(tmp_path: Path, key: str) -> None:
    """Averaged weights count where there are no others."""
    torch.save({key: TENSORS, "step": torch.tensor(5)}, tmp_path / "m.pt")
    assert_tensors(read_checkpoint(tmp_path / "m.pt").tensors)
    other = {name: value + 1 for name, value in TENSORS.items()}
    torch.save({"ema": other, "model": TENSORS}, tmp_path / "both.pt")
    assert_tensors(read_checkpoint(tmp_path / "both.pt").tensors)


def test_a_list_of_updates_as_t2v_turbo_saves_it(tmp_path: Path) -> None:
    updates = [torch.randn(6, 2), torch.randn(2, 3), torch.randn(5, 2, 1, 1), torch.randn(2, 6, 3, 3)]
    torch.save([nn.Parameter(value) for value in updates], tmp_path / "unet_lora.pt")
    found = read_checkpoint(tmp_path / "unet_lora.pt").tensors
    assert list(found) == ["0.lora_up", "0.lora_down", "1.lora_up", "1.lora_down"]
    assert all(torch.equal(one, other) for one, other in zip(found.values(), updates, strict=True))
    for wrong in (updates[:3], [*updates[:3], torch.randn(3, 6)], [*updates, "x", "y"]):
        torch.save(wrong, tmp_path / "other.pt")
        with pytest.raises(CheckpointError, match="holds a list, expected the state dict"):
            read_checkpoint(tmp_path / "other.pt")


def test_a_prefix_that_only_some_keys_have_is_a_name(tmp_path: Path) -> None:
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "m.pth")
    assert list(read_checkpoint(tmp_path / "m.pth").tensors) == ["module.a", "b"]


def write_broken(folder: Path, name: str) -> Path:
    """A broken or unfit file of the named kind."""
    path = folder / name
    torch.save(TENSORS, folder / "good.pth")
    save_file(TENSORS, folder / "good.safetensors")
    zipped, safe = (folder / "good.pth").read_bytes(), (folder / "good.safetensors").read_bytes()
    contents = {
        "empty.pth": b"",
        "empty.safetensors": b"",
        "half.pth": zipped[: len(zipped) // 2],
        "half.safetensors": safe[: len(safe) // 2],
        "short.safetensors": safe[:-4],
        "tiny.safetensors": safe[:5],
        "header.safetensors": safe[:8] + b"!" + safe[9:],
        "noise.pth": bytes(range(256)) * 9,
        "noise.safetensors": bytes(range(256)) * 9,
        "renamed.safetensors": zipped,
        "renamed.pth": safe,
        "page.pth": b"\n<!DOCTYPE html><html><body>Too many downloads</body></html>",
        "pointer.safetensors": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "._m.safetensors": b"\0\5\x16\7\0\2\0\0Mac OS X        ",
        "bare.bin": pickle.dumps({"a": 1}),
        "picture.png": b"\x89PNG",
    }
    if name in contents:
        path.write_bytes(contents[name])
    return path


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone.safetensors", "no such file"),
        ("empty.pth", "the file is empty"),
        ("empty.safetensors", "the file is empty"),
        ("half.pth", "truncated, corrupt"),
        ("half.safetensors", "truncated or corrupt safetensors"),
        ("short.safetensors", "truncated or corrupt safetensors"),
        ("tiny.safetensors", "truncated or corrupt safetensors"),
        ("header.safetensors", "truncated or corrupt safetensors"),
        ("noise.pth", "truncated, corrupt"),
        ("noise.safetensors", "truncated or corrupt safetensors"),
        ("renamed.safetensors", "PyTorch file under a wrong name; rename it to .pth"),
        ("renamed.pth", "safetensors file under a wrong name; rename it to .safetensors"),
        ("page.pth", "saved web page"),
        ("pointer.safetensors", "Git LFS pointer"),
        ("._m.safetensors", "what macOS notes about a file, not the file itself"),
        ("bare.bin", "not a PyTorch file of plain tensors"),
        ("picture.png", "'.png' is not a model file ending; expected one of .safetensors, .pt"),
    ],
)
def test_broken_files_are_named_with_the_remedy(tmp_path: Path, name: str, says: str) -> None:
    path = write_broken(tmp_path, name)
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 250


def test_a_folder_is_no_model_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is a folder, expected a model file"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path, zipped: bool) -> None:
    target = tmp_path / "made"
    content = {"a.weight": torch.ones(1), "b": Harmful(target)}
    torch.save(content, tmp_path / "bad.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=r"Python objects \(\w+\.mkdir\).*refused.*model\.state_dict"):
        read_checkpoint(tmp_path / "bad.pth")
    assert not target.exists()


def test_a_saved_module_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 2), tmp_path / "whole.pth")
    with pytest.raises(CheckpointError, match=r"Python objects \(torch\.nn\.modules\.linear\.Linear\)"):
        read_checkpoint(tmp_path / "whole.pth")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (torch.ones(3), "holds a Tensor, expected the state dict"),
        ([torch.ones(3)], "holds a list, expected the state dict"),
        ({}, "holds no tensors"),
        ({"model": {"name": "x"}, "step": 3}, "holds no tensors"),
    ],
)
def test_content_that_is_no_state_dict_is_refused(tmp_path: Path, content: object, says: str) -> None:
    torch.save(content, tmp_path / "m.pth")
    with pytest.raises(CheckpointError, match=says):
        read_checkpoint(tmp_path / "m.pth")
