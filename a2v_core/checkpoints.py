"""Model files: read without running any code in them, described, loaded strictly, written atomically.

Readable are safetensors and PyTorch files of plain tensors, in every layout that `state_dicts` takes.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from .errors import A2VError, CheckpointError
from .files import atomic_path, utf8_path
from .places import SAFETENSORS, TORCH_FILES, UNKNOWN, WEIGHTS, belongs, describe
from .state_dicts import state_dict_of, unwrapped

_AGAIN = "download or copy the file again"


class Checkpoint(NamedTuple):
    """What a model file holds.

    tensors: the state dict, on the CPU, in the file's own dtypes.
    metadata: the text entries of a safetensors header, else empty.
    extra: whatever stands beside the state dict in a PyTorch file, such as `cfg` in the published BEATs file.
    """

    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    extra: dict[str, object]


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a model file of plain tensors onto the CPU.

    Raises CheckpointError for a file that is missing, empty, truncated or corrupt, that would run code when
    it is opened, or that holds no tensors.
    """
    path = Path(path)
    head = _head(path)
    metadata: dict[str, str] = {}
    extra: dict[str, object] = {}
    if path.suffix.lower() == SAFETENSORS:
        tensors, metadata = _read_safetensors(path, head)
    elif path.suffix.lower() in TORCH_FILES:
        tensors, extra = _read_torch(path, head)
    else:
        kinds = ", ".join(WEIGHTS)
        raise CheckpointError(f"{path}: '{path.suffix}' is not a model file ending; expected one of {kinds}")
    if not tensors:
        raise CheckpointError(f"{path}: holds no tensors; expected the state dict of a model")
    return Checkpoint(unwrapped(tensors), metadata, extra)


def load_strict(module: nn.Module, tensors: Mapping[str, Tensor], path: str | Path, expected: str) -> None:
    """Load a state dict that must fit exactly; half-precision values become the module's own dtypes.

    A module on the meta device takes the tensors over instead of copying them. `expected` says what the file
    should hold ("AudioMapper"). Raises CheckpointError that lists missing and unexpected keys and wrong
    shapes, and says where a file belongs that is recognised as something else; the module is then unchanged.
    """
    own = module.state_dict()
    problems = [
        *_listed("missing", [key for key in own if key not in tensors]),
        *_listed("unexpected", [key for key in tensors if key not in own]),
        *_listed(
            "wrong shape or type", [_misfit(key, tensors[key], own[key]) for key in own if key in tensors]
        ),
    ]
    if problems:
        hint = _hint(describe(tensors), expected)
        raise CheckpointError(f"{path}: expected {expected} weights, but {hint}. " + "; ".join(problems))
    on_meta = any(value.is_meta for value in own.values())
    fitting = {key: tensors[key].to(own[key].dtype) for key in own}
    module.load_state_dict(fitting, strict=True, assign=on_meta)


def write_safetensors(path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file atomically.

    A write that fails raises CheckpointError and leaves a file that stood at `path` as it was.
    """
    ready: dict[str, Tensor] = {}
    storages: set[int] = set()
    for key, value in tensors.items():
        tensor = value.detach().cpu().contiguous()
        storage = tensor.untyped_storage().data_ptr()
        # The format refuses tensors that share memory, such as the one bias table of all BEATs layers.
        ready[key] = tensor.clone() if storage in storages else tensor
        storages.add(storage)
    try:
        with atomic_path(path) as part:
            save_file(ready, part, metadata=dict(metadata))
            part.chmod(0o644)  # the library makes files that only their owner may read
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path}: cannot be written: {error}; check the folder and the free space"
        ) from error


def refuse_overwrite(path: str | Path) -> None:
    """Raise A2VError when something already stands at `path`."""
    if os.path.lexists(path):
        raise A2VError(
            f"{path}: exists already and is not overwritten; choose another name or delete it first"
        )


def _head(path: Path) -> bytes:
    if not path.exists():
        raise CheckpointError(f"{path}: no such file; check the name, or put the file there")
    if not path.is_file():
        raise CheckpointError(f"{path}: is a folder, expected a model file")
    try:
        with path.open("rb") as stream:
            head = stream.read(64)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be opened: {error.strerror}; check its permissions") from error
    if not head:
        raise CheckpointError(f"{path}: the file is empty; {_AGAIN}")
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise CheckpointError(f"{path}: is a saved web page, not a model; download the file itself")
    if head.startswith(b"\x00\x05\x16\x07"):
        raise CheckpointError(
            f"{path}: is what macOS notes about a file, not the file itself; take the one without ._ in front"
        )
    if head.startswith(b"version https://git-lfs"):
        raise CheckpointError(f"{path}: is a Git LFS pointer, not the model itself; run git lfs pull")
    return head


def _read_safetensors(path: Path, head: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with utf8_path(path) as readable, safe_open(readable, framework="pt") as file:
            keys = file.keys()
            return {key: file.get_tensor(key) for key in keys}, dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        if head.startswith(b"PK\x03\x04"):
            raise CheckpointError(
                f"{path}: is a PyTorch file under a wrong name; rename it to .pth"
            ) from error
        raise CheckpointError(f"{path}: truncated or corrupt safetensors file ({error}); {_AGAIN}") from error


def _read_torch(path: Path, head: bytes) -> tuple[dict[str, Tensor], dict[str, object]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # each kind of damage surfaces as another type, down to KeyError
        if isinstance(error, MemoryError) or "DefaultCPUAllocator" in str(error):
            raise
        raise CheckpointError(f"{path}: {_why_unreadable(str(error), head)}") from error
    if (found := state_dict_of(content)) is None:
        what = type(content).__name__
        raise CheckpointError(
            f"{path}: holds a {what}, expected the state dict of a model: save model.state_dict()"
        )
    return found


def _why_unreadable(message: str, head: bytes) -> str:
    if found := re.search(r"GLOBAL ([\w.]+)", message):
        return (
            f"holds Python objects ({found[1]}) besides plain tensors and could run code when it is opened, "
            "so it is refused; get a safetensors file, or save only model.state_dict()"
        )
    if head[8:9] == b"{":
        return "is a safetensors file under a wrong name; rename it to .safetensors"
    if "TorchScript" in message:
        return "is a TorchScript program, expected plain tensors; save only model.state_dict()"
    return f"truncated, corrupt, or not a PyTorch file of plain tensors; {_AGAIN}"


def _misfit(key: str, found: Tensor, expected: Tensor) -> str:
    if found.shape != expected.shape:
        return f"{key} is {list(found.shape)}, expected {list(expected.shape)}"
    if found.is_floating_point() != expected.is_floating_point():
        return f"{key} is {found.dtype}, expected {expected.dtype}"
    return ""


def _listed(title: str, items: list[str], limit: int = 5) -> list[str]:
    items = [item for item in items if item]
    if not items:
        return []
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return [f"{len(items)} {title}: " + ", ".join(items[:limit]) + more]


def _hint(found: str, expected: str) -> str:
    if found == UNKNOWN:
        return "this file holds no model that this pack knows; check that it is the right one"
    if found == expected:
        return f"this {found} has another make or size; check that it is complete and made for this"
    article = "an" if found[0] in "Aa" else "a"
    return f"this file looks like {article} {found}, which belongs {belongs(found)}"
