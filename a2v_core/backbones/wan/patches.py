"""Which modules of a WanTransformer3DModel are changed by what `layers` offers.

As diffusers has it, norms, time embedding and modulation stay in float32 whatever the model computes in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import nn

from ... import layers
from ...layers import Undo

# Small, and every value passes through them.
IN_FULL = ("patch_embedding", "condition_embedder", "proj_out")


def in_fp32(denoiser: Any) -> Collection[str]:
    """Parts of the names of what stays in float32."""
    kept: Collection[str] = denoiser._keep_in_fp32_modules
    return kept


def store_fp8(denoiser: nn.Module) -> None:
    """Round the large weights to 8 bits, in place. See `layers.store_fp8`."""
    layers.store_fp8(denoiser, IN_FULL)


def compile_blocks(denoisers: Sequence[Any], backend: str = "inductor") -> Undo:
    """Let the blocks run compiled; returns what undoes it. See `layers.compile_modules`."""
    return layers.compile_modules([block for one in denoisers for block in one.blocks], backend)


def offload_weights(denoisers: Sequence[nn.Module], device: torch.device | str) -> Undo:
    """Let denoisers run on `device` while their large weights stay in the CPU's memory; returns what undoes
    it. See `layers.offload_weights`."""
    undo = [layers.offload_weights(one, device, IN_FULL) for one in denoisers]

    def undo_all() -> None:
        for one in undo:
            one()

    return undo_all
