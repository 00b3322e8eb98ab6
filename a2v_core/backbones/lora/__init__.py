"""Low-rank updates (LoRA) for the networks of a backbone: read, named by layer, merged."""

from __future__ import annotations

from .files import (
    FIRST,
    GUIDANCE,
    check_used,
    layer_names,
    misfit,
    plain_pairs,
    read_lora,
    weighted_layers,
)
from .merge import merge_lora, projected_guidance

__all__ = [
    "FIRST",
    "GUIDANCE",
    "check_used",
    "layer_names",
    "merge_lora",
    "misfit",
    "plain_pairs",
    "projected_guidance",
    "read_lora",
    "weighted_layers",
]
