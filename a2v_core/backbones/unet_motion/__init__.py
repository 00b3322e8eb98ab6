"""UNetMotionModel with a CLIP text encoder: AnimateDiff's motion modules in Stable Diffusion 1.5."""

from __future__ import annotations

from .backbone import UNetMotionBackbone
from .load import load_files, load_unet_motion

__all__ = ["UNetMotionBackbone", "load_files", "load_unet_motion"]
