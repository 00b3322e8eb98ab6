"""How a clip is sampled, checked before any work is done."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..backbones import BackboneSpec, Grid
from ..errors import A2VError
from ..schedules import DEFAULT_SCHEDULER, check_scheduler
from .guidance_scales import Scales
from .speed import EXACT, Speed, find_speed


@dataclass(frozen=True)
class SampleSettings:
    """How to sample. Steps, scale and solver are those of the published inference code.

    num_frames, width, height: frames and pixels of the video; 0 = those of the clips that the model was
    trained on. seed: 0 to 2**64 - 1. guidance_scale 1 means no guidance.
    speed: what may be left out, a name in `SPEEDS` or a `Speed`. sound_guidance: a scale of its own for
    what the sound adds to the text; None = as guidance_scale. batch_guidance: the branches of guidance go
    through the denoiser in one batch, or else one after the other: the same numbers to rounding, slower, with
    the working memory of one.
    A2VError when a value cannot work; the message names it.
    """

    steps: int = 25
    guidance_scale: float = 25.0
    scheduler: str = DEFAULT_SCHEDULER
    seed: int = 0
    width: int = 0
    height: int = 0
    num_frames: int = 0
    speed: str | Speed = EXACT
    sound_guidance: float | None = None
    batch_guidance: bool = True

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise A2VError(f"steps is {self.steps}: at least 1 is needed (25 is a good start)")
        for name in ("num_frames", "width", "height"):
            if getattr(self, name) < 0:
                raise A2VError(f"{name} is {getattr(self, name)}: expected 1 or more, or 0 = the model's")
        if not math.isfinite(self.guidance_scale) or self.guidance_scale < 0:
            raise A2VError(
                f"guidance_scale is {self.guidance_scale}: expected 0 or more, 1 means no guidance"
            )
        sound = self.sound_guidance
        if sound is not None and (not math.isfinite(sound) or sound < 0):
            raise A2VError(
                f"sound_guidance is {sound}: expected 0 or more, 0 means that the sound has no effect"
            )
        find_speed(self.speed)
        if not 0 <= self.seed < 2**64:
            raise A2VError(f"seed is {self.seed}: expected 0 to 2**64 - 1")
        check_scheduler(self.scheduler)

    def resolved(self, spec: BackboneSpec) -> SampleSettings:
        """The same with every 0 replaced by the model's own number. A2VError as `BackboneSpec.grid`."""
        width, height = spec.native_size
        own = replace(
            self,
            num_frames=self.num_frames or spec.native_frames,
            width=self.width or width,
            height=self.height or height,
        )
        own.grid(spec)
        return own

    def grid(self, spec: BackboneSpec) -> Grid:
        """The latents of the clip."""
        return spec.grid(self.num_frames, self.width, self.height)

    @property
    def scales(self) -> Scales:
        """The guidance scales together, which know what branches they need."""
        return Scales(self.guidance_scale, self.sound_guidance)

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches of guidance that are evaluated, in order; only their texts are asked for."""
        branches = self.scales.branches
        return branches if find_speed(self.speed).guides else branches[-1:]
