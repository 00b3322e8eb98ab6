"""Prompts for Wan: UMT5 states of one text for the whole clip, followed by zeros as in training.

Legend: N prompts, L text positions, C text width.
"""

from __future__ import annotations

import functools
import html
import logging
import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...tokens import AUDIO_WORD, plain_text
from .text_encoder import PaddedCLIP

LENGTH = 512  # text positions of UMT5
_log = logging.getLogger(__name__)


@torch.no_grad()
def encode_texts(text_encoder: Any, tokenizer: Any, prompts: Sequence[str]) -> Tensor:
    """States [N, L, C]; positions after the end of a text are zeros, which the model attends to.

    Audio words are left out, and the log says so once: here the sound comes in beside the text.
    """
    text = tokenizer(
        [_cleaned(_without_words(prompt)) for prompt in prompts],
        padding="max_length",
        max_length=PaddedCLIP.POSITIONS if isinstance(text_encoder, PaddedCLIP) else LENGTH,
        truncation=True,
        return_tensors="pt",
    )
    device = next(text_encoder.parameters()).device
    ids, mask = text.input_ids.to(device), text.attention_mask.to(device)
    states: Tensor = text_encoder(ids, mask).last_hidden_state
    return states * mask[:, :, None].to(states)


def _without_words(prompt: str) -> str:
    if not AUDIO_WORD.search(prompt):
        return prompt
    say_that_words_go()
    return plain_text(prompt)


@functools.cache
def say_that_words_go() -> None:
    """Log, once, that audio words are left out."""
    _log.info("Wan hears the sound beside the text: audio words in prompts are left out")


def _cleaned(text: str) -> str:
    """Without HTML entities and runs of blanks, as the published pipeline has it."""
    return re.sub(r"\s+", " ", html.unescape(html.unescape(text))).strip()
