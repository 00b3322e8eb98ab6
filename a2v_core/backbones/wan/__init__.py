"""Wan 2.1 and 2.2: WanTransformer3DModel, AutoencoderKLWan and UMT5; sound comes in by frame attention."""

from __future__ import annotations

from .backbone import WanBackbone
from .core_layout import core_transformer, core_vae
from .load import load_wan

__all__ = ["WanBackbone", "core_transformer", "core_vae", "load_wan"]
