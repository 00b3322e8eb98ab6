"""Types of tokens per frame, before and after temporal context pooling.

Legend: F video frames, D token width (the text encoder's), K context windows, R frames past the last one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from ..errors import A2VError
from .words import in_prompt

Layout = Literal["reference", "time_aligned"]


def words_of(windows: int) -> tuple[str, ...]:
    """The pseudo-words of K windows in their published order: temp, local1 .. localK, class."""
    return ("temp", *(f"local{k}" for k in range(1, windows + 1)), "class")


DEFAULT_PROMPT = f"a video of {in_prompt(words_of(4))}"  # the words of the published mappers


@dataclass(frozen=True)
class FrameTokens:
    """One token per frame, made by the AudioMapper.

    tokens  float32 [F, D]
    fps     frames per second
    layout  the layout of the mapper that made them
    tail    [R, D]: in the `reference` layout the frames that complete the last chunk of 24. They are not part
            of the video, but its last frames see them in their windows as they do in the published code
    """

    tokens: Tensor
    fps: float
    layout: Layout
    tail: Tensor | None = None

    def __post_init__(self) -> None:
        if self.tokens.ndim != 2 or not len(self.tokens):
            raise A2VError(f"frame tokens need the shape [frames, width], got {list(self.tokens.shape)}")

    @property
    def num_frames(self) -> int:
        """F."""
        return self.tokens.shape[0]

    @property
    def width(self) -> int:
        """D."""
        return self.tokens.shape[1]


@dataclass(frozen=True)
class AudioTokens:
    """The pseudo-words of every frame, to stand in the prompt as `<temp>`, `<local1>` .. `<class>`.

    words      name without brackets -> float32 [F, D]; `class` is the same for all frames that were pooled
               together
    fps        frames per second
    attention  float32 [F]: how much each frame counts in `class`, 1 = as much as the mean frame of those
               pooled together; None where that is not known. For display only
    mapper     what says their AudioMapper from others; "" where that is not known
    """

    words: dict[str, Tensor]
    fps: float
    attention: Tensor | None = None
    mapper: str = ""

    def __post_init__(self) -> None:
        shapes = {word: list(tokens.shape) for word, tokens in self.words.items()}
        first = next(iter(shapes.values()), [])
        if len(first) != 2 or not first[0] or any(shape != first for shape in shapes.values()):
            raise A2VError(f"audio tokens need one shape [frames, width] for every word, got {shapes}")
        if self.attention is not None and list(self.attention.shape) != first[:1]:
            raise A2VError(f"attention needs the shape {first[:1]}, got {list(self.attention.shape)}")

    @property
    def num_frames(self) -> int:
        """F."""
        return next(iter(self.words.values())).shape[0]

    @property
    def width(self) -> int:
        """D."""
        return next(iter(self.words.values())).shape[1]
