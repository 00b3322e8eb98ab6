"""What says one network from another without reading all of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

_NUMBERS = 64  # of every tensor; reading billions would take seconds


def fingerprint_of(network: nn.Module, config: Mapping[str, Any]) -> bytes:
    """A digest of a network's class, its config, and numbers from all over every tensor."""
    digest = hashlib.sha256(f"{type(network).__name__} {json.dumps(dict(config), default=str)}".encode())
    for name, tensor in network.state_dict().items():
        flat = tensor.flatten()
        some = flat[:: max(1, len(flat) // _NUMBERS)][:_NUMBERS]
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode() + bytes_of(some))
    return digest.digest()


def bytes_of(tensor: Tensor) -> bytes:
    """The numbers of a tensor as they lie in memory, of any type."""
    return bytes(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
