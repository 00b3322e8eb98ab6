"""UNet3DConditionModel with a CLIP text encoder: ModelScope 1.7b, Zeroscope v2."""

from __future__ import annotations

from .backbone import NATIVE_FRAMES, UNet3DBackbone
from .chunked import Plan, denoise_long, has_layers, waiting_bytes
from .compiled import compile_blocks
from .load import DTYPES, FP8, load_t2v, load_vae
from .lora import merge_lora, projected_guidance
from .lora_file import (
    FIRST,
    GUIDANCE,
    check_used,
    layer_names,
    misfit,
    plain_pairs,
    read_lora,
    weighted_layers,
)
from .per_frame import denoise, per_frame_text
from .recompute import checkpoint_blocks, checkpoint_layers

__all__ = [
    "DTYPES",
    "FIRST",
    "FP8",
    "GUIDANCE",
    "NATIVE_FRAMES",
    "Plan",
    "UNet3DBackbone",
    "check_used",
    "checkpoint_blocks",
    "checkpoint_layers",
    "compile_blocks",
    "denoise",
    "denoise_long",
    "has_layers",
    "layer_names",
    "load_t2v",
    "load_vae",
    "merge_lora",
    "misfit",
    "per_frame_text",
    "plain_pairs",
    "projected_guidance",
    "read_lora",
    "waiting_bytes",
    "weighted_layers",
]
