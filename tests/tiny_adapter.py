"""Audio adapters for tiny Wans: their configs, and weights that are heard."""

from __future__ import annotations

from typing import Any

from torch import nn

from a2v_core.backbones.dit import AdapterConfig, AudioAdapter
from a2v_core.tokens import AudioMapper
from tests.golden_recipe import fill_module


def wan_config(width: int, layers: int, token_width: int, **changes: Any) -> AdapterConfig:
    """Of an adapter after the first and the third block."""
    own: dict[str, Any] = {
        "family": "Wan",
        "base_model": "tiny Wan",
        "width": width,
        "layers": layers,
        "blocks": (0, 2),
        "time": 4,
        "first_alone": True,
        "token_width": token_width,
        "inner": 16,
        "heads": 2,
    }
    return AdapterConfig(**(own | changes))


def heard(config: AdapterConfig, mapper: AudioMapper, scale: float = 5.0) -> AudioAdapter:
    """An adapter with weights from the golden recipe, times `scale`, in all its layers."""
    adapter = AudioAdapter(config, mapper)
    fill_layers(adapter, scale)
    return adapter.eval().requires_grad_(False)


def fill_layers(adapter: AudioAdapter, scale: float) -> None:
    """Weights from the golden recipe, times `scale`, in the layers between the blocks."""
    layers: nn.ModuleDict = adapter.attention
    layers.load_state_dict({name: scale * value for name, value in fill_module(layers.state_dict()).items()})
