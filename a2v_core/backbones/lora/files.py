"""LoRA files: low-rank updates by name, and which layer of a UNet each name means.

Two kinds of files are read:

* a list of tensors, T2V-Turbo's layout (`unet_lora.pt` of T2V-Turbo-MS): up, down, up, down ... for every
  Linear, Conv2d and Conv3d of the UNet in the order of `named_modules` (its utils/lora.py), the projection of
  the guidance scale included, which ModelScope's UNet does not have;
* named tensors: `<layer>` in the spelling of one of the trainers, and an ending that says what the tensor is.

Legend: r rank, O I channels out and in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ...checkpoints import read_checkpoint
from ...errors import CheckpointError
from ...places import TORCH_FILES

# A distilled UNet projects its guidance scale to the width of the time embedding.
GUIDANCE = "time_embedding.cond_proj"
FIRST = "time_embedding.linear_1"

UP, DOWN = ".lora_up.weight", ".lora_down.weight"
# Endings of plain low-rank pairs: kohya, peft (also with an adapter's name), diffusers old and new.
_PLAIN = {
    UP: DOWN,
    ".lora_B.weight": ".lora_A.weight",
    ".lora_B.default.weight": ".lora_A.default.weight",
    ".lora_B": ".lora_A",
    ".lora.up.weight": ".lora.down.weight",
    "_lora.up.weight": "_lora.down.weight",
    ".lora_linear_layer.up.weight": ".lora_linear_layer.down.weight",
}
_ALPHA = ".alpha"
_PREFIXES = ("", "unet.", "base_model.model.", "unet.base_model.model.", "diffusion_model.")
_FLAT_PREFIXES = ("lora_unet_", "lycoris_")
_NAMED = 8  # names of unused tensors in the log

_log = logging.getLogger(__name__)


def read_lora(path: str | Path, unet: nn.Module) -> dict[str, Tensor]:
    """The named tensors of a LoRA file; those of a list get the names of the layers of `unet`.

    CheckpointError when the file is broken, or a list for another UNet.
    """
    path = Path(path)
    if path.suffix.lower() in TORCH_FILES and path.is_file():
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # each kind of damage surfaces as another type
            if _out_of_memory(error):
                raise
            raise CheckpointError(
                f"{path}: cannot be read as plain tensors ({error}); download it again"
            ) from error
        if isinstance(content, list):
            return dict(_in_order(path, content, unet))
    return read_checkpoint(path).tensors


def layer_names(layers: Iterable[str]) -> dict[str, str]:
    """Layer by every name that a LoRA file may give it: kohya's and LyCORIS's, peft's, diffusers'."""
    found: dict[str, str] = {}
    for layer in layers:
        found |= {prefix + layer: layer for prefix in _PREFIXES}
        found |= {prefix + layer.replace(".", "_"): layer for prefix in _FLAT_PREFIXES}
        # diffusers' attention processors: ...attn1.processor.to_q, and to_out without its number.
        processor = layer.replace(".to_", ".processor.to_").removesuffix(".0")
        if processor != layer and ".processor." in processor:
            found |= {prefix + processor: layer for prefix in _PREFIXES}
    return found


def weighted_layers(unet: nn.Module) -> list[str]:
    """The layers of a UNet that have a weight, norms too."""
    return [name.removesuffix(".weight") for name, _ in unet.named_parameters() if name.endswith(".weight")]


def plain_pairs(
    path: str | Path, tensors: Mapping[str, Tensor], names: Mapping[str, str]
) -> tuple[dict[str, tuple[Tensor, Tensor]], set[str]]:
    """(up, down) of every layer in `names` with a plain low-rank update, scaled by its alpha; and the names
    of the tensors that they are made of. CheckpointError for one of a pair without the other."""
    pairs, used = {}, set()
    for stem, up, down in _halves(path, tensors):
        if stem not in names:
            continue
        alpha = tensors.get(stem + _ALPHA)
        scale = 1.0 if alpha is None else float(alpha) / tensors[down].shape[0]
        pairs[names[stem]] = scale * tensors[up].float(), tensors[down].float()
        used |= {up, down} | ({stem + _ALPHA} & tensors.keys())
    return pairs, used


def owner(key: str, names: Mapping[str, str]) -> str | None:
    """The layer of a tensor whose ending may be any."""
    parts = key.split(".")
    stems = (".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1))
    return next((names[stem] for stem in stems if stem in names), None)


def check_used(path: str | Path, tensors: Mapping[str, Tensor], used: set[str]) -> None:
    """CheckpointError when nothing of a file was used; a warning that names what was not."""
    unused = [key for key in tensors if key not in used]
    if not used:
        name = next(iter(tensors))
        ending = next((end for pair in _PLAIN.items() for end in pair if name.endswith(end)), "")
        raise CheckpointError(
            f"{path}: changes {name.removesuffix(ending)}, which this UNet lacks, and so with all of its "
            f"{len(tensors)} tensors; the update is for another UNet, or not a LoRA in any known layout"
        )
    if unused:
        more = f" and {len(unused) - _NAMED} more" if len(unused) > _NAMED else ""
        _log.warning(
            "%s: %d of its %d tensors are not used, since they are for no layer of this UNet or in no known "
            "layout: %s%s",
            path,
            len(unused),
            len(tensors),
            ", ".join(unused[:_NAMED]),
            more,
        )


def misfit(shape: torch.Size, change: Callable[[Tensor], Tensor], device: str = "meta") -> str:
    """Why a weight of this shape cannot be changed so, in a few words; "" if it can.

    Without numbers on the device "meta"; "cpu" for ways of computing that depend on them.
    """
    try:
        result = change(torch.zeros(shape, device=device))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        if _out_of_memory(error):
            raise
        return str(error).partition("\n")[0]
    return "" if result.shape == shape else f"it would become {list(result.shape)}"


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "DefaultCPUAllocator" in str(error)


def _halves(path: str | Path, tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, str, str]]:
    """Name, up and down of every plain pair."""
    for one, other in [*_PLAIN.items(), *((down, up) for up, down in _PLAIN.items())]:
        for key in tensors:
            if key.endswith(one):
                stem = key.removesuffix(one)
                if stem + other not in tensors:
                    raise CheckpointError(f"{path}: has {key} but no {stem + other}; download it again")
                if one in _PLAIN:
                    yield stem, key, stem + other


def _in_order(path: Path, tensors: Sequence[Tensor], unet: nn.Module) -> Iterator[tuple[str, Tensor]]:
    names = [name for name, module in unet.named_modules() if is_layer(module)]
    count = len(names)
    if len(tensors) == 2 * count + 2 and GUIDANCE not in names and FIRST in names:
        # The distilled UNet has one layer more, registered between the two of its time embedding.
        names.insert(names.index(FIRST) + 1, GUIDANCE)
    if len(tensors) != 2 * len(names) or not all(isinstance(tensor, Tensor) for tensor in tensors):
        raise CheckpointError(
            f"{path}: a list of {len(tensors)} tensors, but this UNet has {count} layers and needs "
            f"{2 * count} (or 2 more); the update is for another UNet"
        )
    for number, name in enumerate(names):
        yield name + UP, tensors[2 * number].detach()
        yield name + DOWN, tensors[2 * number + 1].detach()


def is_layer(module: nn.Module) -> bool:
    """Whether a module is of a kind that T2V-Turbo updates."""
    return isinstance(module, nn.Linear | nn.Conv2d | nn.Conv3d)
