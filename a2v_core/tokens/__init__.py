"""Audio features -> pseudo-word tokens for every frame."""

from .config import MapperConfig
from .files import config_of, export_learned_embeds, load_mapper, save_mapper
from .long_class import pool_long
from .mapper import AudioMapper, stack_layers
from .timing import CHUNK_FRAMES, frames_for, interpolate_steps
from .types import DEFAULT_PROMPT, AudioTokens, FrameTokens, Layout, words_of
from .words import (
    AUDIO_WORD,
    audio_words,
    in_prompt,
    plain_text,
    published_order,
    split_at_words,
    without_words,
)

__all__ = [
    "AUDIO_WORD",
    "CHUNK_FRAMES",
    "DEFAULT_PROMPT",
    "AudioMapper",
    "AudioTokens",
    "FrameTokens",
    "Layout",
    "MapperConfig",
    "audio_words",
    "config_of",
    "export_learned_embeds",
    "frames_for",
    "in_prompt",
    "interpolate_steps",
    "load_mapper",
    "plain_text",
    "pool_long",
    "published_order",
    "save_mapper",
    "split_at_words",
    "stack_layers",
    "without_words",
    "words_of",
]
