"""Wan 2.1 and 2.2: WanTransformer3DModel, AutoencoderKLWan and UMT5; sound comes in by frame attention."""

from __future__ import annotations

from .backbone import WanBackbone
from .core_layout import core_transformer, core_vae
from .load import load_wan
from .single_files import WanFiles, load_wan_files
from .text import encode_texts
from .text_encoder import CORE_WIDTH, PaddedCLIP, load_text

__all__ = [
    "CORE_WIDTH",
    "PaddedCLIP",
    "WanBackbone",
    "WanFiles",
    "core_transformer",
    "core_vae",
    "encode_texts",
    "load_text",
    "load_wan",
    "load_wan_files",
]
