"""Prompts for Wan: UMT5 states of one text for the whole clip, followed by zeros as in training.

Legend: N prompts, L = 512 text positions, C text width.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...errors import A2VError
from ...tokens import AUDIO_WORD

LENGTH = 512


@torch.no_grad()
def encode_texts(text_encoder: Any, tokenizer: Any, prompts: Sequence[str]) -> Tensor:
    """States [N, L, C]; positions after the end of a text are zeros, which the model attends to.

    A2VError for audio words: in this family the sound does not come in through the text.
    """
    for prompt in prompts:
        if word := AUDIO_WORD.search(prompt):
            raise A2VError(
                f"The prompt {prompt!r} has the audio word {word[0]}; Wan hears audio tokens beside the "
                "text: take the audio words out of the prompt"
            )
    text = tokenizer(
        [_cleaned(prompt) for prompt in prompts],
        padding="max_length",
        max_length=LENGTH,
        truncation=True,
        return_tensors="pt",
    )
    device = next(text_encoder.parameters()).device
    ids, mask = text.input_ids.to(device), text.attention_mask.to(device)
    states: Tensor = text_encoder(ids, mask).last_hidden_state
    return states * mask[:, :, None].to(states)


def _cleaned(text: str) -> str:
    """Without HTML entities and runs of blanks, as the published pipeline has it."""
    return re.sub(r"\s+", " ", html.unescape(html.unescape(text))).strip()
