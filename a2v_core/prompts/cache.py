"""Cache of encoded prompts: a run with only a new seed encodes no text again.

Legend: F video frames, D token width.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

from .context import FrameContext

if TYPE_CHECKING:
    from ..tokens import AudioTokens

_MAX_ENTRIES = 6  # prompt, negative prompt and prompt without sound of two runs


class _Encoder(Protocol):
    def encode_prompt(
        self, prompt: str, audio_tokens: AudioTokens | None, num_frames: int
    ) -> FrameContext: ...


class PromptCache:
    """The most recently used contexts, by prompt, audio tokens and number of frames; one per text encoder.

    Audio tokens are compared by value: the same sound encoded again is found.
    """

    def __init__(self) -> None:
        self._contexts: OrderedDict[tuple[str, int, str], FrameContext] = OrderedDict()

    def find(self, prompt: str, audio_tokens: AudioTokens | None, num_frames: int) -> FrameContext | None:
        """The cached context of this prompt, tokens and number of frames, if there is one."""
        key = _key(prompt, audio_tokens, num_frames)
        if key in self._contexts:
            self._contexts.move_to_end(key)
        return self._contexts.get(key)

    def encode(
        self, encoder: _Encoder, prompt: str, audio_tokens: AudioTokens | None, num_frames: int
    ) -> FrameContext:
        """`encoder.encode_prompt`, cached."""
        context = self.find(prompt, audio_tokens, num_frames)
        if context is None:
            context = encoder.encode_prompt(prompt, audio_tokens, num_frames)
            self._contexts[_key(prompt, audio_tokens, num_frames)] = context
            while len(self._contexts) > _MAX_ENTRIES:
                self._contexts.popitem(last=False)
        return context


def _key(prompt: str, tokens: AudioTokens | None, num_frames: int) -> tuple[str, int, str]:
    digest = hashlib.sha256()
    for word, rows in () if tokens is None else sorted(tokens.words.items()):
        digest.update(f"{word} {list(rows.shape)} {rows.dtype} ".encode())
        digest.update(rows.detach().float().cpu().contiguous().numpy().tobytes())
    return prompt, num_frames, digest.hexdigest()
