"""Audio features -> pseudo-word tokens for every frame."""

from .config import MapperConfig
from .files import export_learned_embeds, load_mapper, save_mapper
from .mapper import AudioMapper, stack_layers
from .timing import frames_for
from .types import AudioTokens, FrameTokens, Layout, words_of
from .words import AUDIO_WORD, audio_words, published_order, split_at_words, without_words

__all__ = [
    "AUDIO_WORD",
    "AudioMapper",
    "AudioTokens",
    "FrameTokens",
    "Layout",
    "MapperConfig",
    "audio_words",
    "export_learned_embeds",
    "frames_for",
    "load_mapper",
    "published_order",
    "save_mapper",
    "split_at_words",
    "stack_layers",
    "without_words",
    "words_of",
]
