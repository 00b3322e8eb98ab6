"""Guided predictions of a run: every branch of guidance as often as the speed mode asks.

Legend: B branches, c latent channels, F video frames, L text positions, C text width, h w latent size.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ..backbones import Backbone, FeatureCache
from .guidance_scales import Scales
from .speed import Speed, StepPlan


class Guide:
    """Predictions of a whole run: made once, asked at every step in order.

    contexts: text of every branch that is evaluated, in their order, each [F, L, C]. batched: branches go
    through the network together.
    """

    def __init__(
        self,
        backbone: Backbone,
        contexts: Mapping[str, Tensor],
        scales: Scales,
        speed: Speed,
        total: int,
        batched: bool = True,
    ) -> None:
        self._backbone, self._scales, self._batched = backbone, scales, batched
        self._stacked = torch.stack(list(contexts.values()))
        self._rows = {name: row for row, name in enumerate(contexts)}
        self._plan = speed.plan(total)
        # The branch that is followed where guidance is off or its push is an older one.
        self._main = scales.branches[-1]
        self._push: Tensor | None = None
        deep, attention = speed.deep_every > 1, speed.attention_every > 1
        self._cache = (
            FeatureCache(deep=deep, attention=attention, shallow=speed.shallow) if deep or attention else None
        )

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
        if len(names) > 1 and not self._batched:
            return {name: self._evaluate((name,), latents, t, plan)[name] for name in names}
        rows = [self._rows[name] for name in names]
        context = self._stacked if len(rows) == len(self._stacked) else self._stacked[rows]
        if self._cache is None:
            prediction = self._backbone.denoise(latents, t, context)
        else:
            self._cache.begin(names, deep=plan.deep, attention=plan.attention)
            prediction = self._backbone.denoise(latents, t, context, self._cache)
        prediction = prediction.to(latents.device, torch.float32)
        return dict(zip(names, prediction.split(1), strict=True))
