"""Audio features -> pseudo-word tokens for every frame."""

from .config import MapperConfig
from .files import export_learned_embeds, load_mapper, save_mapper
from .mapper import AudioMapper, stack_layers
from .timing import frames_for
from .types import AudioTokens, FrameTokens, Layout, words_of

__all__ = [
    "AudioMapper",
    "AudioTokens",
    "FrameTokens",
    "Layout",
    "MapperConfig",
    "export_learned_embeds",
    "frames_for",
    "load_mapper",
    "save_mapper",
    "stack_layers",
    "words_of",
]
