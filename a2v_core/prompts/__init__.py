"""Text conditioning: prompts with audio words, encoded for every frame of a clip."""

from __future__ import annotations

from .blend import blend_by_frame
from .cache import PromptCache
from .context import ContextBatch, FrameContext
from .embedded import EmbeddedStates, encode_embeddings, text_body
from .prompt_ids import PromptIds, tokenize_prompt
from .splice import (
    check_token_width,
    distinct_frames,
    encode_clips,
    encode_ids,
    encode_prompt,
    text_length,
    text_width,
)

__all__ = [
    "ContextBatch",
    "EmbeddedStates",
    "FrameContext",
    "PromptCache",
    "PromptIds",
    "blend_by_frame",
    "check_token_width",
    "distinct_frames",
    "encode_clips",
    "encode_embeddings",
    "encode_ids",
    "encode_prompt",
    "text_body",
    "text_length",
    "text_width",
    "tokenize_prompt",
]
