"""A prompt with audio words in it, as token ids.

An audio word, such as `<temp>` or `<class>`, is one pseudo token whose embedding comes from the sound. Its id
is the first free id after the tokenizer's vocabulary plus its place in the published order: 49408 `<temp>`,
49409 to 49412 `<local1>` to `<local4>`, 49413 `<class>` for CLIP's 49408 tokens (TempoTokens, inference.py).
The tokenizer itself is left as it is: the text between the words is tokenized piece by piece, which gives the
same ids as words added to the vocabulary would, since a BPE piece never crosses an added token.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import A2VError
from ..tokens import AUDIO_WORD, published_order, split_at_words

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PromptIds:
    """ids: int64 [L], padded. words: the audio words in order of their ids. first_word_id: id of words[0]."""

    ids: Tensor
    words: tuple[str, ...]
    first_word_id: int

    @property
    def used(self) -> tuple[str, ...]:
        """The audio words that stand in the prompt after truncation, in order of their ids."""
        present = set(self.ids.tolist())
        return tuple(word for k, word in enumerate(self.words) if self.first_word_id + k in present)


def tokenize_prompt(tokenizer: Any, prompt: str, words: Iterable[str] | None, length: int = 77) -> PromptIds:
    """Token ids of a prompt: start token, text and audio words, end token, padding up to `length`.

    `words` are the audio words that have tokens; None when there is no sound. They may stand
    anywhere, in any order and case, repeatedly. Other `<words>` are ordinary text. Padding is the tokenizer's
    own (id 0 for the ModelScope and Zeroscope folders). A prompt that is too long is cut, with a warning in
    the log. A2VError when the prompt has audio words but there is no sound.
    """
    if words is None and (found := AUDIO_WORD.search(prompt)):
        raise A2VError(
            f"The prompt {prompt!r} has the audio word {found[0]}, but there are no audio tokens: connect "
            "audio tokens, or take the word out of the prompt. A negative prompt is text only."
        )
    order = published_order(words or ())
    first = len(tokenizer)
    content: list[int] = []
    for number, piece in enumerate(split_at_words(prompt, order)):
        if number % 2:
            content.append(first + order.index(piece.lower()))
        else:
            _warn_of_unknown(piece, order)
            content += tokenizer(piece, add_special_tokens=False).input_ids
    room = length - 2
    if len(content) > room:
        _warn_of_truncation(content[room:], room, order, first)
        content = content[:room]
    ids = [tokenizer.bos_token_id, *content, tokenizer.eos_token_id]
    ids += [tokenizer.pad_token_id] * (length - len(ids))
    return PromptIds(torch.tensor(ids, dtype=torch.int64), order, first)


def _warn_of_unknown(text: str, words: tuple[str, ...]) -> None:
    for found in AUDIO_WORD.finditer(text):
        known = ", ".join(f"<{word}>" for word in words)
        _log.warning("%s in the prompt is none of this mapper's words (%s): read as text", found[0], known)


def _warn_of_truncation(cut: list[int], room: int, words: tuple[str, ...], first: int) -> None:
    dropped = sorted({token - first for token in cut if token >= first})
    what = "".join(f" <{words[k]}>" for k in dropped if k < len(words))
    _log.warning(
        "The prompt is %d tokens longer than the %d that the text encoder takes: its end is cut off%s",
        len(cut),
        room,
        f", with the audio words{what}. Put them nearer to the start" if what else "",
    )
