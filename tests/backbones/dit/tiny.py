"""A tiny Wan, as diffusers has it, and an audio adapter for it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from a2v_core.backbones import BackboneSpec
from a2v_core.backbones.dit import AdapterConfig, AudioAdapter
from a2v_core.tokens import AudioMapper, MapperConfig
from tests.golden_recipe import fill_module, recipe
from tests.tiny_wan import CHANNELS, HEAD_DIM, HEADS, LAYERS, tiny_denoiser

WIDTH, TOKEN_WIDTH, KINDS = HEADS * HEAD_DIM, 8, ("temp", "local1", "class")
SPEC = BackboneSpec(
    family="Wan",
    latent_channels=CHANNELS,
    space=8,
    size_multiple=16,
    native_frames=9,
    native_size=(32, 32),
    token_width=TOKEN_WIDTH,
    latent_format="Wan21",
    time=4,
    first_alone=True,
)


def tiny_wan() -> Any:
    torch.manual_seed(0)
    return tiny_denoiser().eval().requires_grad_(False)


def tiny_config(**changes: Any) -> AdapterConfig:
    own: dict[str, Any] = {
        "family": "Wan",
        "base_model": "tiny Wan",
        "width": WIDTH,
        "layers": LAYERS,
        "blocks": (0, 2),
        "time": 4,
        "first_alone": True,
        "token_width": TOKEN_WIDTH,
        "inner": 24,
        "heads": 2,
        "kinds": KINDS,
        "facts": {"steps": 3},
    }
    return AdapterConfig(**(own | changes))


def tiny_adapter(**changes: Any) -> AudioAdapter:
    """As it is before training: without effect."""
    torch.manual_seed(1)
    mapper = AudioMapper(MapperConfig(input_size=12, hidden_size=10, output_size=TOKEN_WIDTH))
    return AudioAdapter(tiny_config(**changes), mapper).eval()


def trained(adapter: AudioAdapter) -> AudioAdapter:
    """The same with weights from the golden recipe in all layers."""
    layers: nn.ModuleDict = adapter.attention
    layers.load_state_dict({name: 3 * value for name, value in fill_module(layers.state_dict()).items()})
    return adapter


def words_of_clip(frames: int, clips: int = 1) -> dict[str, Tensor]:
    return {kind: 20 * recipe(kind, (clips, frames, TOKEN_WIDTH)) for kind in KINDS}
