"""A UNet3D from a local folder, as ModelScope 1.7b and Zeroscope v2 were published."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ...prompts import text_width
from ..clip_unet import built_diffusers, built_networks, fill_unet, filled_networks
from ..contract import PARTS, Part
from ..diffusers_folder import DIFFUSERS_STEM, check_folder, read_weights
from .backbone import UNet3DBackbone, spec_of


def load_unet3d(folder: Path, dtype: str = "fp32", parts: Collection[Part] = PARTS) -> UNet3DBackbone:
    """See `backbones.load_t2v`."""
    check_folder(folder)
    unet = built_diffusers(folder / "unet", "UNet3DConditionModel")
    networks = built_networks(folder, unet)
    spec = spec_of(unet.config, networks.vae.config, text_width(networks.text_encoder))
    if "denoiser" in parts:
        fill_unet(unet, *read_weights(folder / "unet", (DIFFUSERS_STEM,)), dtype)
    return UNet3DBackbone(*filled_networks(networks, folder, dtype, parts), spec)
