"""Settings of the comparison of base models, beside those of `ablate.settings`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from a2v_core.backbones.dit import Placement, RouteName
from a2v_core.sampling import EXACT

from ..settings import Recipe, Test, Variant

BaseName = Literal["unet3d", "animatediff", "wan"]


@dataclass(frozen=True)
class BaseRecipe(Recipe):
    """Hyperparameters of all bases; `frames` are those of a crop for models that can be cropped at any frame.

    num_frames  of every clip: 4n + 1, for Wan
    token_width, inner, heads  of an audio adapter; the words of the others have the width of their text
    """

    steps: int = 800
    start_steps: int = 400
    pool: int = 1000
    clips: int = 25
    sampling_steps: int = 20
    guidance_scale: float = 3.0
    num_frames: int = 25
    token_width: int = 128
    inner: int = 128
    heads: int = 4


@dataclass(frozen=True)
class BaseVariant(Variant):
    """A base model and how the sound comes into it.

    route, blocks  of an audio adapter (`backbones.dit`); without meaning for words in the prompt
    """

    base: BaseName = "unet3d"
    route: RouteName = "frame_attention"
    blocks: Placement = "every_third"


@dataclass(frozen=True)
class BaseTest(Test):
    """Evaluation of a trained adapter, from sound alone and with a text of another colour.

    sound_guidance  a scale of its own for the sound; None: that of the recipe guides sound and text together
    speed           of the sampler (`sampling.SPEEDS`)
    times           as many sounds as the recipe has, times this, are scored
    """

    sound_guidance: float | None = None
    speed: str = EXACT
    times: int = 1
