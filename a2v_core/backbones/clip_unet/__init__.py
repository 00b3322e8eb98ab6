"""What text-to-video UNets with CLIP's text and a VAE of pictures have in common: no family by itself."""

from __future__ import annotations

from .backbone import CLIPUNet, spec_of
from .load import (
    MODELS,
    Networks,
    built_diffusers,
    built_networks,
    fill_diffusers,
    fill_network,
    fill_unet,
    filled_networks,
    load_text_encoder,
    load_tokenizer,
)
from .patches import blocks

__all__ = [
    "MODELS",
    "CLIPUNet",
    "Networks",
    "blocks",
    "built_diffusers",
    "built_networks",
    "fill_diffusers",
    "fill_network",
    "fill_unet",
    "filled_networks",
    "load_text_encoder",
    "load_tokenizer",
    "spec_of",
]
