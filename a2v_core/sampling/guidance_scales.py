"""Guidance scales, and which branches they need.

Branches: "negative" (empty or negative prompt), "text" (the prompt without its audio words), "prompt" (text
and sound). With one scale s:  negative + s (prompt - negative), classifier-free guidance (arXiv 2207.12598).
With a scale of its own for the sound:  negative + s (text - negative) + s_sound (prompt - text), the rule of
InstructPix2Pix (arXiv 2211.09800) with sound in the place of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

NEGATIVE, TEXT, PROMPT = "negative", "text", "prompt"


@dataclass(frozen=True)
class Scales:
    """Guidance scales: of the whole prompt, or of its text when `sound` is given."""

    text: float
    sound: float | None = None

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches that are needed, in order."""
        negative = () if self.text == 1 else (NEGATIVE,)
        if self.sound is None or self.sound == self.text:
            return (*negative, PROMPT)
        return (*negative, TEXT) if self.sound == 0 else (*negative, TEXT, PROMPT)

    def combine(self, predictions: Mapping[str, Tensor]) -> Tensor:
        """One prediction from those of `branches`."""
        names = self.branches
        first = PROMPT if TEXT not in names else TEXT
        guided = predictions[first]
        if NEGATIVE in names:
            guided = predictions[NEGATIVE] + self.text * (guided - predictions[NEGATIVE])
        if self.sound is not None and first == TEXT and PROMPT in names:
            guided = guided + self.sound * (predictions[PROMPT] - predictions[TEXT])
        return guided
