"""UNet3DConditionModel with a CLIP text encoder: ModelScope 1.7b, Zeroscope v2."""

from __future__ import annotations

from .backbone import UNet3DBackbone
from .load import load_unet3d
from .per_frame import denoise, per_frame_text

__all__ = [
    "UNet3DBackbone",
    "denoise",
    "load_unet3d",
    "per_frame_text",
]
