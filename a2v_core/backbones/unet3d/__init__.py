"""UNet3DConditionModel with a CLIP text encoder: ModelScope 1.7b, Zeroscope v2."""

from __future__ import annotations

from .backbone import UNet3DBackbone
from .load import load_unet3d
from .patches import compile_blocks, offload_weights
from .per_frame import denoise, per_frame_text

__all__ = [
    "UNet3DBackbone",
    "compile_blocks",
    "denoise",
    "load_unet3d",
    "offload_weights",
    "per_frame_text",
]
