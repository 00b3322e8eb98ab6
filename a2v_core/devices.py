"""What a device has room for, and what it cannot compute."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def free_bytes(device: torch.device) -> float:
    """Bytes that work on a device may take now; infinite where nobody knows, as on a CPU.

    What PyTorch keeps for later work is free too: without it every clip but the first would seem to have less
    room than it has.
    """
    if device.type != "cuda":
        return math.inf
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return float(torch.cuda.mem_get_info(device)[0] + kept)


def in_float64(tensor: Tensor) -> Tensor:
    """The same in float64; on the CPU where its device has none, as Apple's."""
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()
