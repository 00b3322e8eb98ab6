"""LoRAs by ComfyUI's own loader: patches on the weights of a UNet, which can be taken off again.

Core knows the layouts (LoRA in all spellings, LoHa, LoKr, GLoRA, OFT, BOFT, with DoRA); which layer a name
means, and the list that T2V-Turbo saves, is our part (`a2v_core/backbones/lora/files.py`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import comfy.lora
import torch
from torch import Tensor

from ..a2v_core.backbones.lora import (
    FIRST,
    GUIDANCE,
    check_used,
    layer_names,
    misfit,
    plain_pairs,
    projected_guidance,
    read_lora,
    weighted_layers,
)
from ..a2v_core.errors import CheckpointError
from . import runtime

Patches = Mapping[str, Any]


def lora_patches(
    path: Path, network: torch.nn.Module, managed: runtime.Managed, strength: float
) -> list[tuple[Patches, float]]:
    """The patches of a LoRA file for `managed.patched`, with their strengths.

    CheckpointError when the file is broken, when nothing of it is for this UNet, and when a part does not fit
    its layer. What else is for no layer is named in the log.
    """
    tensors = _Watched(read_lora(path, network))
    layers = weighted_layers(network)
    keys = {
        name: managed.weight_key(f"{layer}.weight")
        for name, layer in layer_names(layers).items()
        if layer != GUIDANCE
    }
    found: dict[str, Any] = comfy.lora.load_lora(tensors, keys, log_missing=False)
    pairs, used = plain_pairs(path, tensors, layer_names([GUIDANCE, FIRST]))
    used |= tensors.used if found else set()  # an alpha alone is read, and changes nothing
    check_used(path, tensors, used)
    shapes = {managed.weight_key(name): weight.shape for name, weight in network.state_dict().items()}
    for key, patch in found.items():
        _check(path, managed.weight_name(key), key, patch, shapes.get(key))
    patches: list[tuple[Patches, float]] = [(found, strength)]
    if GUIDANCE in pairs:
        first = network.get_submodule(FIRST)
        projected = projected_guidance(path, first, pairs[GUIDANCE])
        bias = managed.weight_key(f"{FIRST}.bias")
        constant = managed.weight(f"{FIRST}.weight").float().cpu() @ projected
        patches.append(({bias: ("diff", (constant,))}, strength))
        if FIRST in pairs:  # its weight changes too, and the product of two changes with the square
            up, down = pairs[FIRST]
            patches.append(({bias: ("diff", (up @ (down @ projected),))}, strength**2))
    return patches


class _Watched(dict[str, Tensor]):
    """The tensors of a file; `used` are the names of those that were taken out."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__(tensors)
        self.used: set[str] = set()

    def __getitem__(self, key: str) -> Tensor:
        tensor = super().__getitem__(key)
        self.used.add(key)
        return tensor

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default


def _check(path: Path, name: str, key: str, patch: Any, shape: torch.Size | None) -> None:
    """CheckpointError unless core can put the patch on a weight of this shape; core itself only logs it."""
    device = "cpu" if getattr(patch, "name", "") in ("oft", "boft") else "meta"
    entry = (1.0, patch, 1.0, None, None)  # strengths of patch and weight, part of the weight, function
    reasons = ["this UNet has no such weight"]
    if shape is not None:
        with _complaints() as reasons:
            reason = misfit(shape, lambda weight: comfy.lora.calculate_weight([entry], weight, key), device)
        reasons += [reason] if reason else []
    if reasons:
        why = reasons[0].splitlines()[0]
        raise CheckpointError(
            f"{path}: its update of {name} does not fit that weight, which is {list(shape or ())}; the "
            f"update is for another UNet ({why})"
        )


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What core's functions log as a warning or an error meanwhile, in this thread, instead of the log."""
    found: list[str] = []
    thread = threading.get_ident()

    def keep(record: logging.LogRecord) -> bool:
        if record.thread != thread or record.levelno < logging.WARNING:
            return True
        found.append(record.getMessage())
        return False

    logger = logging.getLogger()
    logger.addFilter(keep)
    try:
        yield found
    finally:
        logger.removeFilter(keep)
