"""What a sampling run may leave out, by name. `python -m benchmarks.modes` prints the price of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import A2VError

EXACT = "exact"


@dataclass(frozen=True)
class Speed:
    """Which work is done again at every step, and which result of an earlier step is used instead.

    guidance_from, guidance_until: guidance is on from this part of the steps (0) to this (1), elsewhere the
    prompt alone is followed (guidance interval, arXiv 2404.07724).
    guidance_every: the direction of guidance is computed every n-th step and used until the next one (the
    idea of FasterCache, arXiv 2410.19355).
    deep_every: deep features are computed every n-th step; in between `shallow` units are rerun (DeepCache,
    arXiv 2312.00858).
    attention_every: attention is computed every n-th step (pyramid attention broadcast, arXiv 2408.12588).
    warm_up: this many first steps leave nothing out.
    bfloat16: on a CPU, the denoiser computes in bfloat16 (a model on a GPU stays as it was loaded).
    steps: part of the steps asked for that is taken.
    """

    about: str = ""
    guidance_from: float = 0.0
    guidance_until: float = 1.0
    guidance_every: int = 1
    deep_every: int = 1
    shallow: int = 2
    attention_every: int = 1
    warm_up: int = 1
    bfloat16: bool = False
    steps: float = 1.0

    def __post_init__(self) -> None:
        for name in ("guidance_every", "deep_every", "shallow", "attention_every"):
            if getattr(self, name) < 1:
                raise A2VError(f"speed: {name} is {getattr(self, name)}, expected 1 or more")
        if not 0 <= self.guidance_from <= self.guidance_until <= 1:
            raise A2VError(
                f"speed: guidance from {self.guidance_from} until {self.guidance_until} of the steps; "
                "expected two numbers in 0..1, the smaller one first"
            )
        if not 0 < self.steps <= 1 or self.warm_up < 0:
            raise A2VError("speed: steps is expected to be above 0 and at most 1, warm_up 0 or more")

    @property
    def guides(self) -> bool:
        """Whether guidance is on at any step: where it is not, only the prompt itself is evaluated."""
        return self.guidance_until > 0

    def plan(self, total: int) -> list[StepPlan]:
        """What to do at each of `total` evaluations."""
        return list(self._plan(total))

    def _plan(self, total: int) -> Iterator[StepPlan]:
        since_deep = since_guidance = since_attention = 0
        for step in range(total):
            early = step < self.warm_up
            place = (step + 0.5) / total
            deep = early or since_deep + 1 >= self.deep_every
            attention = early or since_attention + 1 >= self.attention_every
            guided = self.guidance_from <= place <= self.guidance_until
            direction = guided and (early or since_guidance + 1 >= self.guidance_every)
            since_deep = 0 if deep else since_deep + 1
            since_attention = 0 if attention else since_attention + 1
            since_guidance = 0 if direction else since_guidance + 1
            yield StepPlan(guided, direction, deep, attention)


class StepPlan(NamedTuple):
    """One step: is guidance on, is its direction computed, are deep features, is attention."""

    guided: bool = True
    direction: bool = True
    deep: bool = True
    attention: bool = True


SPEEDS: dict[str, Speed] = {
    EXACT: Speed("every step in full"),
    "guidance_interval": Speed("guidance only in the middle of the steps", 0.1, 0.7),
    "guidance_2": Speed("guidance computed every second step", guidance_every=2),
    "deep_2": Speed("deep features every 2nd step", deep_every=2),
    "deep_3": Speed("deep features every 3rd step", deep_every=3),
    "deep_5": Speed("deep features every 5th step", deep_every=5),
    "attention_2": Speed("attention every 2nd step", attention_every=2),
    "bf16": Speed("bfloat16 on a CPU", bfloat16=True),
    "fast": Speed(
        "half of the steps, guidance and deep features every 2nd, bf16",
        guidance_every=2,
        deep_every=2,
        bfloat16=True,
        steps=0.5,
    ),
    "few_steps": Speed(
        "a fifth of the steps, no guidance, bf16", guidance_until=0.0, steps=0.2, bfloat16=True
    ),
}


def find_speed(speed: str | Speed) -> Speed:
    """The mode of a name; A2VError that lists the known names when it is none of them."""
    if isinstance(speed, Speed):
        return speed
    if speed not in SPEEDS:
        raise A2VError(f"Unknown speed {speed!r}: choose one of {', '.join(SPEEDS)}")
    return SPEEDS[speed]
