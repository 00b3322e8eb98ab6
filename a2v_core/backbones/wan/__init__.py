"""Wan 2.1 and 2.2: WanTransformer3DModel, AutoencoderKLWan and UMT5; sound comes in by frame attention."""

from __future__ import annotations

from .backbone import WanBackbone
from .load import load_wan

__all__ = ["WanBackbone", "load_wan"]
