"""Audio adapters for video DiTs: frame attention between the blocks of a frozen model."""

from __future__ import annotations

from .adapter import AudioAdapter, audio_in_blocks
from .config import AdapterConfig, Placement, RouteName, every_third, place_blocks
from .families import FAMILIES, WAN, Family, family_of
from .files import load_adapter, save_adapter
from .packing import frame_index, pack_strengths, pack_words
from .routes import INSIDE_ONLY, FrozenText, Route

__all__ = [
    "FAMILIES",
    "INSIDE_ONLY",
    "WAN",
    "AdapterConfig",
    "AudioAdapter",
    "Family",
    "FrozenText",
    "Placement",
    "Route",
    "RouteName",
    "audio_in_blocks",
    "every_third",
    "family_of",
    "frame_index",
    "load_adapter",
    "pack_strengths",
    "pack_words",
    "place_blocks",
    "save_adapter",
]
