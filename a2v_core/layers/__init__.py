"""Layers that compute or store in another way than PyTorch's own; they know no model."""

from __future__ import annotations

from .bfloat16 import in_bfloat16
from .onednn import use_cpu_layers
from .stored import fp8_tensors, full_weight, offload_weights, set_weight, store_fp8

__all__ = [
    "fp8_tensors",
    "full_weight",
    "in_bfloat16",
    "offload_weights",
    "set_weight",
    "store_fp8",
    "use_cpu_layers",
]
