"""Motion adapters: a folder in the diffusers layout, or a file as AnimateDiff's authors published it.

Those files (mm_sd_v15.ckpt, mm_sd_v15_v2.ckpt, v3_sd15_mm.ckpt) hold weights under other names and no
settings. Sizes follow from the weights; the number of attention heads is 8 in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...checkpoints import read_checkpoint
from ...errors import CheckpointError
from ...places import MOTION_ADAPTER, WEIGHTS, describe
from ..clip_unet import built_diffusers, fill_network
from ..diffusers_folder import DIFFUSERS_STEM, built, read_weights

HEADS = 8

# Parts of names: as published, and in diffusers. In this order.
_NAMES = (
    (".temporal_transformer.", "."),
    (".attention_blocks.0.pos_encoder.", ".pos_embed."),
    (".attention_blocks.0.", ".attn1."),
    (".attention_blocks.1.", ".attn2."),
    (".norms.0.", ".norm1."),
    (".norms.1.", ".norm2."),
    (".ff_norm.", ".norm3."),
)
_SECOND_TABLE = ".attention_blocks.1.pos_encoder."  # equal to the first, which diffusers uses for both


class Adapter(NamedTuple):
    """A MotionAdapter without memory for its weights, and where they are; a file is read already."""

    network: Any
    folder: Path
    file: tuple[dict[str, Tensor], Path] | None = None

    def fill(self, dtype: torch.dtype) -> None:
        """Give the network its weights. CheckpointError unless they fit exactly."""
        tensors, path = self.file or read_weights(self.folder, (DIFFUSERS_STEM,))
        fill_network(self.network, tensors, path, MOTION_ADAPTER, dtype)


def find_adapter(folder: Path) -> Adapter:
    """The motion adapter in a folder: one in the diffusers layout, or a published file.

    CheckpointError when there is neither, or what is there is broken or something else.
    """
    if (folder / "config.json").is_file():
        return Adapter(built_diffusers(folder, "MotionAdapter"), folder)
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in WEIGHTS)
    if len(files) != 1:
        raise CheckpointError(
            f"{folder}: holds no config.json and {len(files)} model files; expected a motion adapter in the "
            "diffusers layout, or one file of motion modules such as mm_sd_v15_v2.ckpt"
        )
    (path,) = files
    return adapter_of(path, read_checkpoint(path).tensors)


def adapter_of(path: Path, content: Mapping[str, Tensor]) -> Adapter:
    """The motion adapter in a published file that was read. CheckpointError for another kind of file."""
    tensors = renamed(content)
    if (found := describe(tensors)) != MOTION_ADAPTER:
        raise CheckpointError(f"{path}: expected a {MOTION_ADAPTER}, but this file looks like: {found}")
    return Adapter(_built(path, tensors), path.parent, (tensors, path))


def renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a published file under the names of diffusers' MotionAdapter."""
    made = {}
    for key, value in tensors.items():
        if _SECOND_TABLE not in key:
            for old, new in _NAMES:
                key = key.replace(old, new)
            made[key] = value
    return made


def _built(path: Path, tensors: Mapping[str, Tensor]) -> Any:
    from diffusers import MotionAdapter

    first = [f"down_blocks.{block}.motion_modules.0.norm.weight" for block in range(len(tensors))]
    channels = [len(tensors[key]) for key in first if key in tensors]
    layers = [key for key in tensors if key.startswith("down_blocks.0.") and key.endswith("s.0.pos_embed.pe")]
    if not layers:
        raise CheckpointError(f"{path}: has no position embedding of motion modules; get the published file")
    return built(
        path,
        lambda: MotionAdapter(
            block_out_channels=channels,
            motion_layers_per_block=len(layers),
            motion_num_attention_heads=HEADS,
            motion_max_seq_length=tensors[layers[0]].shape[1],
            use_motion_mid_block=any(key.startswith("mid_block.") for key in tensors),
        ),
    )
