"""Low-rank updates for the UNet, above all few-step ones (LCM): merged into its weights.

For scripts, training and benchmarks, which use a model once. In ComfyUI core's own loader reads LoRAs and
can take them off again (`nodes/lora.py`); it also knows layouts that are refused here, such as LoHa.

A distilled model takes its guidance scale as an embedding that is added to that of the time before a linear
layer. For one scale that is one bias: it is merged too, the UNet stays stock and runs without guidance.

Legend: r rank, O I channels out and in, E width of an embedding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import CheckpointError
from ...layers import full_weight, set_weight
from .files import (
    FIRST,
    GUIDANCE,
    check_used,
    is_layer,
    layer_names,
    owner,
    plain_pairs,
    read_lora,
    weighted_layers,
)

TURBO_GUIDANCE = 7.5  # the default of T2V-Turbo
Pair = tuple[Tensor, Tensor]


@torch.no_grad()
def merge_lora(
    unet: nn.Module, path: str | Path, strength: float = 1.0, guidance: float = TURBO_GUIDANCE
) -> int:
    """Add a low-rank update to the weights of a UNet, in place; returns how many layers changed.

    Weights that are stored in 8 bits are rounded to them again.

    `guidance` is the scale that a distilled update is asked for, if it has a projection for it. Sample with
    guidance_scale 1 afterwards, 4 to 8 steps, scheduler "lcm".
    CheckpointError when the file is broken, for another network, or in a layout that is more than plain
    low-rank pairs; the UNet is then as it was. What is for no layer of the UNet is named in the log.
    """
    path = Path(path)
    tensors = read_lora(path, unet)
    names = layer_names([*weighted_layers(unet), GUIDANCE])
    pairs, used = plain_pairs(path, tensors, names)
    _refuse_other_layouts(path, tensors, used, names)
    check_used(path, tensors, used)
    layers = {name: module for name, module in unet.named_modules() if is_layer(module)}
    cond = pairs.pop(GUIDANCE, None)
    projected = None if cond is None else projected_guidance(path, layers[FIRST], cond, guidance)
    for name, pair in pairs.items():
        _check(path, name, layers.get(name), pair)
    for name, (up, down) in pairs.items():
        weight = full_weight(layers[name])
        update = (up.flatten(1) @ down.flatten(1)).view(weight.shape)
        set_weight(layers[name], weight + strength * update.to(weight.device))
    if projected is not None:
        first: Any = layers[FIRST]
        first.bias.add_(strength * (first.weight.float() @ projected.to(first.weight.device)))
    return len(pairs)


def guidance_embedding(guidance: float, width: int) -> Tensor:
    """Float32 [E]: sines, then cosines, of the scale times 1000 (T2V-Turbo, get_w_embedding)."""
    half = width // 2
    frequencies = torch.exp(torch.arange(half) * (-math.log(10000.0) / (half - 1)))
    angles = 1000.0 * guidance * frequencies
    return torch.cat([angles.sin(), angles.cos(), torch.zeros(width % 2)])


def projected_guidance(path: str | Path, first: Any, cond: Pair, guidance: float = TURBO_GUIDANCE) -> Tensor:
    """Float32 [E]: what a distilled update adds to the embedding of the time for a guidance scale.

    linear_1(t + cond_proj(w)) is linear_1(t) plus a constant. The projection itself starts at zero.
    CheckpointError when it does not fit `first`, the layer that takes the embedding.
    """
    up, down = cond
    if up.ndim != 2 or down.ndim != 2 or up.shape[0] != first.in_features or up.shape[1] != down.shape[0]:
        raise CheckpointError(
            f"{path}: its projection of the guidance scale gives {list(up.shape)}, expected "
            f"[{first.in_features}, rank]; the update is for another UNet"
        )
    return up @ (down @ guidance_embedding(guidance, down.shape[1]))


def _refuse_other_layouts(
    path: Path, tensors: Mapping[str, Tensor], used: set[str], names: Mapping[str, str]
) -> None:
    for key in tensors:
        layer = None if key in used else owner(key, names)
        if layer is not None:
            raise CheckpointError(
                f"{path}: {key} is not part of a plain low-rank update (up, down and alpha) of {layer}. "
                "Other layouts, such as LoHa, LoKr and DoRA, are read in ComfyUI only, by Load T2V Model"
            )


def _check(path: Path, name: str, layer: Any, pair: Pair) -> None:
    """CheckpointError unless up [O, r, 1 ...] and down [r, I, ...] make an update of the layer's weight."""
    up, down = pair
    shape = [] if layer is None else list(layer.weight.shape)
    fits = (
        min(up.ndim, down.ndim, len(shape)) >= 2
        and math.prod(up.shape[2:]) == 1
        and up.shape[1] == down.shape[0]
        and [up.shape[0], down.shape[1]] == shape[:2]
        and math.prod(down.shape[2:]) == math.prod(shape[2:])
    )
    if not fits:
        raise CheckpointError(
            f"{path}: its update of {name} is {list(up.shape)} x {list(down.shape)}, but the layer's weight "
            f"is {shape or 'none that can be updated so'}; the update is for another UNet"
        )
