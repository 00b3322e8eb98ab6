"""Low-rank updates for the UNet, above all few-step ones (LCM): merged into its weights.

Two layouts are read:

* T2V-Turbo (`unet_lora.pt` of T2V-Turbo-MS): a list of tensors up, down, up, down ... for every Linear,
  Conv2d and Conv3d of the UNet in the order of `named_modules` (its utils/lora.py), the projection of the
  guidance scale included, which ModelScope's UNet does not have;
* named keys, `<layer>.lora_A.weight` / `lora_B` (peft) or `lora_down` / `lora_up` with optional `alpha`.

A distilled model takes its guidance scale as an embedding that is added to that of the time before a linear
layer. For one scale that is one bias: it is merged too, the UNet stays stock and runs without guidance.

Legend: r rank, O I channels out and in, E width of an embedding.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..checkpoints import read_checkpoint
from ..errors import CheckpointError
from .storage import full_weight, set_weight

TURBO_GUIDANCE = 7.5  # the default of T2V-Turbo
_COND = "time_embedding.cond_proj"
_FIRST = "time_embedding.linear_1"
_DOWN, _UP = (".lora_A.weight", ".lora_down.weight"), (".lora_B.weight", ".lora_up.weight")


@torch.no_grad()
def merge_lora(
    unet: nn.Module, path: str | Path, strength: float = 1.0, guidance: float = TURBO_GUIDANCE
) -> int:
    """Add a low-rank update to the weights of a UNet, in place; returns how many layers changed.

    Weights that are stored in 8 bits are rounded to them again.

    `guidance` is the scale that a distilled update is asked for, if it has a projection for it. Sample with
    guidance_scale 1 afterwards, 4 to 8 steps, scheduler "lcm".
    CheckpointError when the file is broken or for another network; the UNet is then as it was.
    """
    path = Path(path)
    layers = {name: module for name, module in unet.named_modules() if _is_layer(module)}
    pairs = _read(path, layers)
    cond = pairs.pop(_COND, None)
    for name, (up, down) in pairs.items():
        _check(path, name, layers.get(name), up, down)
    for name, (up, down) in pairs.items():
        weight = full_weight(layers[name])
        update = (up.flatten(1).float() @ down.flatten(1).float()).view(weight.shape)
        set_weight(layers[name], weight + strength * update.to(weight.device))
    if cond is not None:
        _merge_guidance(path, layers[_FIRST], cond, strength, guidance)
    return len(pairs)


def guidance_embedding(guidance: float, width: int) -> Tensor:
    """Float32 [E]: sines, then cosines, of the scale times 1000 (T2V-Turbo, get_w_embedding)."""
    half = width // 2
    frequencies = torch.exp(torch.arange(half) * (-math.log(10000.0) / (half - 1)))
    angles = 1000.0 * guidance * frequencies
    return torch.cat([angles.sin(), angles.cos(), torch.zeros(width % 2)])


def _merge_guidance(
    path: Path, first: Any, cond: tuple[Tensor, Tensor], strength: float, guidance: float
) -> None:
    """linear_1(t + cond_proj(w)) is linear_1(t) plus a constant. The projection itself starts at zero."""
    up, down = (part.float() for part in cond)
    if up.ndim != 2 or up.shape[0] != first.in_features or up.shape[1] != down.shape[0]:
        raise CheckpointError(
            f"{path}: its projection of the guidance scale gives {list(up.shape)}, expected "
            f"[{first.in_features}, rank]; the update is for another UNet"
        )
    projected = strength * (up @ (down @ guidance_embedding(guidance, down.shape[1])))
    first.bias.add_((first.weight.float() @ projected.to(first.weight.device)).to(first.bias))


def _read(path: Path, layers: Mapping[str, nn.Module]) -> dict[str, tuple[Tensor, Tensor]]:
    """(up, down) of every layer by its name in the UNet."""
    if path.suffix == ".pt" and path.is_file():
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError) as error:
            raise CheckpointError(
                f"{path}: cannot be read as plain tensors ({error}); download it again"
            ) from (error)
        if isinstance(content, list):
            return _in_order(path, content, layers)
    return dict(_named(path, read_checkpoint(path).tensors))


def _in_order(
    path: Path, tensors: Sequence[Tensor], layers: Mapping[str, nn.Module]
) -> dict[str, tuple[Tensor, Tensor]]:
    names = list(layers)
    if len(tensors) == 2 * len(names) + 2 and _COND not in layers:
        # The distilled UNet has one layer more, registered between the two of its time embedding.
        names.insert(names.index(_FIRST) + 1, _COND)
    if len(tensors) != 2 * len(names) or not all(isinstance(tensor, Tensor) for tensor in tensors):
        raise CheckpointError(
            f"{path}: a list of {len(tensors)} tensors, but this UNet has {len(layers)} layers and needs "
            f"{2 * len(layers)} (or 2 more); the update is for another UNet"
        )
    return {name: (tensors[2 * n].detach(), tensors[2 * n + 1].detach()) for n, name in enumerate(names)}


def _named(path: Path, tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    for key, down in tensors.items():
        for ending, other in zip(_DOWN, _UP, strict=True):
            if not key.endswith(ending):
                continue
            stem = key.removesuffix(ending)
            if stem + other not in tensors:
                raise CheckpointError(f"{path}: has {key} but no {stem + other}; download it again")
            alpha = tensors.get(stem + ".alpha")
            scale = 1.0 if alpha is None else float(alpha) / down.shape[0]
            name = stem.removeprefix("base_model.model.").removeprefix("unet.")
            yield name, (scale * tensors[stem + other], down)


def _check(path: Path, name: str, layer: Any, up: Tensor, down: Tensor) -> None:
    """CheckpointError unless up [O, r, ...] and down [r, I, ...] make an update of the layer's weight."""
    if layer is None:
        raise CheckpointError(
            f"{path}: changes {name}, which this UNet lacks; the update is for another UNet"
        )
    shape = list(layer.weight.shape)
    fits = (
        up.ndim == down.ndim == len(shape)
        and up.shape[1] == down.shape[0]
        and [up.shape[0], *down.shape[1:]] == shape
    )
    if not fits or any(size != 1 for size in up.shape[2:]):
        raise CheckpointError(
            f"{path}: its update of {name} is {list(up.shape)} x {list(down.shape)}, but the layer's weight "
            f"is {shape}; the update is for another UNet"
        )


def _is_layer(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear | nn.Conv2d | nn.Conv3d)
