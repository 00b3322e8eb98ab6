"""AnimateDiff from a local folder in the diffusers layout, in one of two forms.

* As `AnimateDiffPipeline.save_pretrained` writes it: `unet` is a UNetMotionModel, with the motion modules in
  it. A folder `motion_adapter` may stand beside it; its weights are in `unet` already.
* Stable Diffusion 1.5, whose `unet` is a UNet2DConditionModel, with a motion adapter in a folder
  `motion_adapter`: in the diffusers layout, or one of the files that AnimateDiff's authors published.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...places import PICTURE_UNET
from ...prompts import text_width
from ..clip_unet import built_diffusers, built_networks, fill_diffusers, fill_unet, filled_networks
from ..contract import PARTS, Part
from ..diffusers_folder import (
    ADAPTER_FOLDER,
    DIFFUSERS_STEM,
    PICTURE_DENOISER,
    built,
    check_folder,
    read_json,
    read_weights,
)
from ..dtypes import DTYPES, FP8
from .adapter import find_adapter
from .backbone import UNetMotionBackbone, spec_of

_BETAS = {"beta_schedule": "linear"}  # of all published motion modules; Stable Diffusion's is another


def load_unet_motion(
    folder: Path, dtype: str = "fp32", parts: Collection[Part] = PARTS
) -> UNetMotionBackbone:
    """See `backbones.load_t2v`."""
    check_folder(folder)
    if read_json(folder / "unet" / "config.json").get("_class_name") == PICTURE_DENOISER:
        return _with_adapter(folder, dtype, parts)
    unet = built_diffusers(folder / "unet", "UNetMotionModel")
    networks = built_networks(folder, unet)
    spec = spec_of(unet.config, networks.vae.config, text_width(networks.text_encoder))
    if "denoiser" in parts:
        fill_unet(unet, *read_weights(folder / "unet", (DIFFUSERS_STEM,)), dtype)
    return UNetMotionBackbone(*filled_networks(networks, folder, dtype, parts), spec)


def _with_adapter(folder: Path, dtype: str, parts: Collection[Part]) -> UNetMotionBackbone:
    """Of a UNet for pictures and a motion adapter."""
    pictures = built_diffusers(folder / "unet", PICTURE_DENOISER)
    adapter = find_adapter(folder / ADAPTER_FOLDER)
    unet = _joined(folder, pictures, adapter.network)
    networks = built_networks(folder, unet)
    networks = networks._replace(scheduler_config={**networks.scheduler_config, **_BETAS})
    spec = spec_of(unet.config, networks.vae.config, text_width(networks.text_encoder))
    if "denoiser" in parts:
        number = torch.float32 if dtype == FP8 else DTYPES[dtype]  # rounded once
        fill_diffusers(pictures, folder / "unet", PICTURE_UNET, number)
        adapter.fill(number)
        tensors: dict[str, Tensor] = {**pictures.state_dict(), **adapter.network.state_dict()}
        fill_unet(unet, tensors, folder, dtype)
    return UNetMotionBackbone(*filled_networks(networks, folder, dtype, parts), spec)


def _joined(folder: Path, pictures: Any, adapter: Any) -> Any:
    """A UNetMotionModel with the settings of both, without memory for its weights."""
    from diffusers import UNetMotionModel

    ours, theirs = (list(network.config.block_out_channels) for network in (pictures, adapter))
    if ours != theirs:
        raise CheckpointError(
            f"{folder / ADAPTER_FOLDER}: is for a UNet of {theirs} channels, that in unet has {ours}; use a "
            "motion adapter and a model that belong together, such as one for Stable Diffusion 1.5"
        )
    return built(
        folder / ADAPTER_FOLDER,
        lambda: UNetMotionModel.from_unet2d(pictures, adapter, load_weights=False),
    )
