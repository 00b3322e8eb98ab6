"""Guided predictions of a run: every branch of guidance as often as the speed mode asks.

Legend: B branches, c latent channels, f latent frames, h w latent size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..backbones import Backbone, FeatureCache, FeatureReuse, require
from ..prompts import ContextBatch
from .settings import SampleSettings
from .speed import StepPlan, find_speed

# latents [1, c, f, h, w], timestep and the texts of B branches to predictions [B, c, f, h, w]
Denoise = Callable[[Tensor, Tensor, ContextBatch], Tensor]


class Guide:
    """Predictions of a whole run: made once, asked at every step in order.

    names, contexts: the branches that are evaluated, and their texts. `denoise` takes the place of the
    backbone's own; results of earlier steps are then not used.
    """

    def __init__(
        self,
        backbone: Backbone,
        names: tuple[str, ...],
        contexts: ContextBatch,
        settings: SampleSettings,
        total: int,
        denoise: Denoise | None = None,
    ) -> None:
        speed = find_speed(settings.speed)
        self._scales, self._batched = settings.scales, settings.batch_guidance
        self._contexts = contexts
        self._rows = {name: row for row, name in enumerate(names)}
        self._plan = speed.plan(total)
        self._denoise = denoise or backbone.denoise
        # The branch that is followed where guidance is off or its direction is an older one.
        self._main = self._scales.branches[-1]
        self._direction: Tensor | None = None
        self._reusing: FeatureReuse | None = None
        if denoise is None and (speed.deep_every > 1 or speed.attention_every > 1):
            self._reusing = require(backbone, FeatureReuse, "results of earlier steps")
        self._cache = FeatureCache(
            deep=speed.deep_every > 1, attention=speed.attention_every > 1, shallow=speed.shallow
        )

    def predict(self, step: int, latents: Tensor, t: Tensor) -> Tensor:
        """The guided prediction [1, c, f, h, w], float32, for latents [1, c, f, h, w] at timestep t."""
        plan = self._plan[step]
        names = self._scales.branches
        if len(names) > 1 and (plan.direction or (plan.guided and self._direction is None)):
            predictions = self._evaluate(names, latents, t, plan)
            guided = self._scales.combine(predictions)
            self._direction = guided - predictions[self._main]
            return guided
        alone = self._evaluate((self._main,), latents, t, plan)[self._main]
        return alone + self._direction if plan.guided and self._direction is not None else alone

    def _evaluate(
        self, names: tuple[str, ...], latents: Tensor, t: Tensor, plan: StepPlan
    ) -> dict[str, Tensor]:
        if len(names) > 1 and not self._batched:
            return {name: self._evaluate((name,), latents, t, plan)[name] for name in names}
        context = self._contexts.rows([self._rows[name] for name in names])
        if self._reusing is None:
            prediction = self._denoise(latents, t, context)
        else:
            self._cache.begin(names, deep=plan.deep, attention=plan.attention)
            prediction = self._reusing.denoise_cached(latents, t, context, self._cache)
        prediction = prediction.to(latents.device, torch.float32)
        return dict(zip(names, prediction.split(1), strict=True))
