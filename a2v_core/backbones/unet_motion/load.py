"""AnimateDiff from a local folder, in one of three forms.

* As `AnimateDiffPipeline.save_pretrained` writes it: `unet` is a UNetMotionModel, with the motion modules in
  it. A folder `motion_adapter` may stand beside it; its weights are in `unet` already.
* Stable Diffusion 1.5, whose `unet` is a UNet2DConditionModel, with a motion adapter in a folder
  `motion_adapter`: in the diffusers layout, or one of the files that AnimateDiff's authors published.
* Two files: a checkpoint of Stable Diffusion 1.5 (`original.py`) and one of those of AnimateDiff's authors.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import CheckpointError
from ...places import ADAPTER_FOLDER, PICTURE_DENOISER, PICTURE_UNET, VAE
from ...prompts import text_width
from ..clip_unet import (
    Networks,
    built_diffusers,
    built_networks,
    checked,
    fill_diffusers,
    fill_network,
    fill_text_encoder,
    fill_unet,
    filled_networks,
    load_tokenizer,
    only,
)
from ..contract import PARTS, Part
from ..diffusers_folder import (
    DIFFUSERS_STEM,
    built,
    check_folder,
    read_json,
    read_weights,
)
from ..dtypes import DTYPES, FP8
from .adapter import Adapter, find_adapter
from .backbone import UNetMotionBackbone, spec_of
from .original import SCHEDULE, find_files, find_tokenizer

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
    unet = _joined(pictures, adapter)
    networks = built_networks(folder, unet)
    networks = networks._replace(scheduler_config={**networks.scheduler_config, **_BETAS})
    spec = spec_of(unet.config, networks.vae.config, text_width(networks.text_encoder))
    if "denoiser" in parts:
        fill_diffusers(pictures, folder / "unet", PICTURE_UNET, _once(dtype))
        _fill_joined(unet, pictures, adapter, dtype)
    return UNetMotionBackbone(*filled_networks(networks, folder, dtype, parts), spec)


def load_files(
    folder: Path, dtype: str = "fp32", parts: Collection[Part] = PARTS, tokenizer: Path | None = None
) -> UNetMotionBackbone:
    """Of two files in a folder. See `backbones.load_t2v`; `tokenizer` if the folder has none."""
    original, adapter = find_files(folder)
    unet = _joined(original.unet, adapter)
    words = load_tokenizer(find_tokenizer(folder, tokenizer))
    networks = checked(folder, Networks(unet, original.vae, original.text_encoder, words, SCHEDULE))
    spec = spec_of(unet.config, networks.vae.config, text_width(networks.text_encoder))
    if "denoiser" in parts:
        fill_network(original.unet, original.unet_weights(), original.path, PICTURE_UNET, _once(dtype))
        _fill_joined(unet, original.unet, adapter, dtype)
    if "text" in parts:
        fill_text_encoder(original.text_encoder, original.text_weights(), original.path, DTYPES[dtype])
    if "vae" in parts:
        fill_network(original.vae, original.vae_weights(), original.path, VAE, DTYPES[dtype])
    return UNetMotionBackbone(*only(parts, networks), spec)


def _once(dtype: str) -> torch.dtype:
    """What weights are kept in until they are rounded to `dtype`, once."""
    return torch.float32 if dtype == FP8 else DTYPES[dtype]


def _fill_joined(unet: Any, pictures: Any, adapter: Adapter, dtype: str) -> None:
    """Give a UNetMotionModel the weights of a UNet for pictures, which has them, and of a motion adapter."""
    adapter.fill(_once(dtype))
    tensors: dict[str, Tensor] = {**pictures.state_dict(), **adapter.network.state_dict()}
    fill_unet(unet, tensors, adapter.folder, dtype)


def _joined(pictures: Any, adapter: Adapter) -> Any:
    """A UNetMotionModel with the settings of both, without memory for its weights."""
    from diffusers import UNetMotionModel

    ours, theirs = (list(network.config.block_out_channels) for network in (pictures, adapter.network))
    if ours != theirs:
        raise CheckpointError(
            f"{adapter.folder}: the motion adapter is for a UNet of {theirs} channels, the UNet has {ours}; "
            "use a motion adapter and a model that belong together, such as one for Stable Diffusion 1.5"
        )
    return built(
        adapter.folder,
        lambda: UNetMotionModel.from_unet2d(pictures, adapter.network, load_weights=False),
    )
