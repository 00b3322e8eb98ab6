"""Prompts that were encoded before are not encoded again."""

from __future__ import annotations

import torch

from a2v_core.prompts.cache import PromptCache
from a2v_core.prompts.context import FrameContext
from a2v_core.tokens import AudioTokens


class Encoder:
    """Counts what it is asked; the states are the number of the request."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode_prompt(self, prompt: str, audio_tokens: AudioTokens | None, num_frames: int) -> FrameContext:
        self.asked.append(prompt)
        states = torch.full((1, 77, 4), float(len(self.asked)))
        return FrameContext(states, torch.zeros(num_frames, dtype=torch.int64))


def tokens(value: float) -> AudioTokens:
    return AudioTokens({"temp": torch.full((3, 4), value)}, fps=12.0)


def test_same_text_tokens_and_frames_are_found() -> None:
    memory, encoder = PromptCache(), Encoder()
    first = memory.encode(encoder, "a <temp>", tokens(1.0), 3)
    assert memory.encode(encoder, "a <temp>", tokens(1.0), 3) is first
    assert memory.find("a <temp>", tokens(1.0), 3) is first
    for other in (("a <temp>", tokens(2.0), 3), ("a <temp>", None, 3), ("b", tokens(1.0), 3)):
        assert memory.find(*other) is None
        assert memory.encode(encoder, *other) is not first
    assert memory.find("a <temp>", tokens(1.0), 4) is None
    assert encoder.asked == ["a <temp>", "a <temp>", "a <temp>", "b"]


def test_the_oldest_is_forgotten() -> None:
    memory, encoder = PromptCache(), Encoder()
    for number in range(6):
        memory.encode(encoder, str(number), None, 1)
    assert memory.find("0", None, 1) is not None  # used again: the newest now
    memory.encode(encoder, "6", None, 1)
    assert memory.find("1", None, 1) is None
    assert memory.find("0", None, 1) is not None
