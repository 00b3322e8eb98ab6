"""What text-to-video UNets with CLIP's text and a VAE of pictures have in common: no family by itself."""

from __future__ import annotations

from .backbone import CLIPUNet, spec_of
from .load import (
    MODELS,
    Networks,
    built_diffusers,
    built_networks,
    built_text_encoder,
    checked,
    fill_diffusers,
    fill_network,
    fill_text_encoder,
    fill_unet,
    filled_networks,
    load_text_encoder,
    load_tokenizer,
    only,
)
from .patches import blocks, compile_blocks
from .units import sees_text
from .whole import evaluate, understands

__all__ = [
    "MODELS",
    "CLIPUNet",
    "Networks",
    "blocks",
    "built_diffusers",
    "built_networks",
    "built_text_encoder",
    "checked",
    "compile_blocks",
    "evaluate",
    "fill_diffusers",
    "fill_network",
    "fill_text_encoder",
    "fill_unet",
    "filled_networks",
    "load_text_encoder",
    "load_tokenizer",
    "only",
    "sees_text",
    "spec_of",
    "understands",
]
