"""A tiny Wan, as diffusers has it, and an audio adapter for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from a2v_core.backbones.dit import WAN, AdapterConfig, AudioAdapter
from a2v_core.tokens import AudioMapper, MapperConfig
from tests.golden_recipe import recipe
from tests.tiny_adapter import fill_layers, wan_config
from tests.tiny_wan import HEAD_DIM, HEADS, LAYERS, tiny_denoiser

WIDTH, TOKEN_WIDTH, KINDS = HEADS * HEAD_DIM, 8, ("temp", "local1", "class")
SPEC = replace(WAN.spec, native_frames=9, native_size=(32, 32))


def tiny_wan() -> Any:
    torch.manual_seed(0)
    return tiny_denoiser().eval().requires_grad_(False)


def tiny_config(**changes: Any) -> AdapterConfig:
    own: dict[str, Any] = {"inner": 24, "kinds": KINDS, "facts": {"steps": 3}}
    sizes = {"width": WIDTH, "layers": LAYERS, "token_width": TOKEN_WIDTH}
    return wan_config(**(sizes | own | changes))


def tiny_adapter(**changes: Any) -> AudioAdapter:
    """As it is before training: without effect."""
    torch.manual_seed(1)
    mapper = AudioMapper(MapperConfig(input_size=12, hidden_size=10, output_size=TOKEN_WIDTH))
    return AudioAdapter(tiny_config(**changes), mapper).eval()


def trained(adapter: AudioAdapter) -> AudioAdapter:
    """The same with weights from the golden recipe in all layers."""
    fill_layers(adapter, 3.0)
    return adapter


def words_of_clip(frames: int, clips: int = 1) -> dict[str, Tensor]:
    return {kind: 20 * recipe(kind, (clips, frames, TOKEN_WIDTH)) for kind in KINDS}
