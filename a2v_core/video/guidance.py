"""Classifier-free guidance (arXiv 2207.12598), for text and sound apart if wanted, as often as a mode asks.

Branches: "negative" (empty or negative prompt), "text" (the prompt without its audio words), "prompt" (text
and sound). With one scale s:  negative + s (prompt - negative). With a scale of its own for the sound:
negative + s (text - negative) + s_sound (prompt - text), the rule of InstructPix2Pix (arXiv 2211.09800) with
sound in the place of the picture.

Legend: B branches, c latent channels, F video frames, L text positions, C text width, h w latent size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .backbone import Backbone
from .reuse import Reuse
from .speed import Speed, StepPlan

NEGATIVE, TEXT, PROMPT = "negative", "text", "prompt"


@dataclass(frozen=True)
class Scales:
    """Guidance scales: of the whole prompt, or of its text when `sound` is given."""

    text: float
    sound: float | None = None

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches that are needed, in order."""
        if self.sound is None or self.sound == self.text:
            return (PROMPT,) if self.text == 1 else (NEGATIVE, PROMPT)
        if self.text == 1:
            return TEXT, PROMPT
        return (NEGATIVE, TEXT) if self.sound == 0 else (NEGATIVE, TEXT, PROMPT)

    def combine(self, predictions: Mapping[str, Tensor]) -> Tensor:
        """One prediction from those of `branches`."""
        names = self.branches
        if names == (PROMPT,):
            return predictions[PROMPT]
        if names == (NEGATIVE, PROMPT):
            return predictions[NEGATIVE] + self.text * (predictions[PROMPT] - predictions[NEGATIVE])
        sound = self.sound or 0.0
        text = predictions[TEXT]
        if names == (TEXT, PROMPT):
            return text + sound * (predictions[PROMPT] - text)
        guided = predictions[NEGATIVE] + self.text * (text - predictions[NEGATIVE])
        return guided + sound * (predictions[PROMPT] - text) if PROMPT in predictions else guided


class Guide:
    """Predictions of a whole run: made once, asked at every step in order.

    contexts: text of every branch that `scales` needs, each [F, L, C].
    """

    def __init__(
        self, backbone: Backbone, contexts: Mapping[str, Tensor], scales: Scales, speed: Speed, total: int
    ) -> None:
        self._backbone, self._scales = backbone, scales
        self._stacked = torch.stack([contexts[name] for name in scales.branches])
        self._plan = speed.plan(total)
        # The branch that is followed where guidance is off or its push is an older one.
        self._main = scales.branches[-1]
        self._push: Tensor | None = None
        self._reuse = Reuse(speed) if speed.deep_every > 1 or speed.attention_every > 1 else None

    def predict(self, step: int, latents: Tensor, t: Tensor) -> Tensor:
        """The guided prediction [1, c, F, h, w], float32, for latents [1, c, F, h, w] at timestep t."""
        plan = self._plan[step]
        names = self._scales.branches
        if len(names) > 1 and (plan.push or (plan.guided and self._push is None)):
            predictions = self._evaluate(names, latents, t, plan)
            guided = self._scales.combine(predictions)
            self._push = guided - predictions[self._main]
            return guided
        alone = self._evaluate((self._main,), latents, t, plan)[self._main]
        return alone + self._push if plan.guided and self._push is not None else alone

    def _evaluate(
        self, names: tuple[str, ...], latents: Tensor, t: Tensor, plan: StepPlan
    ) -> dict[str, Tensor]:
        rows = [self._scales.branches.index(name) for name in names]
        context = self._stacked if len(rows) == len(self._stacked) else self._stacked[rows]
        if self._reuse is None:
            prediction = self._backbone.denoise(latents, t, context)
        else:
            self._reuse.begin(names, plan)
            prediction = self._backbone.denoise(latents, t, context, self._reuse)
        prediction = prediction.to(latents.device, torch.float32)
        return dict(zip(names, prediction.split(1), strict=True))
