"""Audio adapters for video DiTs: frame attention between the blocks of a frozen model."""

from __future__ import annotations

from .adapter import AudioAdapter, audio_in_blocks
from .config import AdapterConfig, every_third
from .files import load_adapter, save_adapter
from .packing import frame_index, pack_words

__all__ = [
    "AdapterConfig",
    "AudioAdapter",
    "audio_in_blocks",
    "every_third",
    "frame_index",
    "load_adapter",
    "pack_words",
    "save_adapter",
]
