"""The frozen base models: where their files are, how each is loaded, sampled and trained with.

Legend: B clips, c latent channels, f latent frames, h w latent size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from a2v_core.audio import load_beats
from a2v_core.backbones import Backbone, load_t2v, to_device
from a2v_core.backbones.wan import WanFiles, load_wan_files
from a2v_core.schedules import DEFAULT_SCHEDULER

from ...demo_world.fitting import device
from ...demo_world.wan.demo import SHIFT, SOLVER
from ...demo_world.wan.t2v import timesteps_of
from ...demo_world.world import WALLS, empty_wall
from ...errors import ConfigError
from ..caches import Models, checksum
from ..train import DrawTimesteps
from .settings import BaseName, BaseRecipe


@dataclass(frozen=True)
class BaseFiles:
    """Files of BEATs and of the base models; None for one that was not given."""

    beats: Path
    unet3d: Path
    wan: WanFiles
    animatediff: Path | None = None

    def of(self, name: BaseName) -> list[Path]:
        """All weights of a base and of BEATs. ConfigError for those that are not there."""
        if name == "wan":
            for path in self.wan[:2]:
                if not path.is_file():
                    raise ConfigError(
                        f"{path}: no such file; the base models are compared with a Wan of the demo world: "
                        "give its transformer and its VAE as --wan TRANSFORMER VAE"
                    )
            return [self.beats, *self.wan[:2], *sorted(self.wan.text.rglob("*.safetensors"))]
        return [self.beats, *sorted(self.folder(name).rglob("*.safetensors"))]

    def folder(self, name: BaseName) -> Path:
        """The diffusers folder of a base with words in its prompts. ConfigError when it was not given."""
        folder = self.unet3d if name == "unet3d" else self.animatediff
        if folder is None:
            raise ConfigError(
                "the base models are compared with an AnimateDiff of the demo world, which does not ship: "
                "make it with `python -m training.demo_world --only animatediff` and give its folder as "
                "--animatediff"
            )
        return folder

    def load(self, name: BaseName) -> Models:
        """A base, on the GPU if there is one. CheckpointError for files of another kind."""
        backbone = load_wan_files(self.wan, shift=SHIFT) if name == "wan" else load_t2v(self.folder(name))
        to_device(backbone, device())
        return Models(load_beats(self.beats), backbone, checksum(self.of(name)))


class BaseKind(NamedTuple):
    """What differs between bases beyond the contract: the solver of their videos, and which timesteps a
    training looks at.
    """

    solver: str
    timesteps: Callable[[Backbone, BaseRecipe], DrawTimesteps]


def _evenly(backbone: Backbone, recipe: BaseRecipe) -> DrawTimesteps:
    """From the recipe's lowest one on, where motion is decided."""
    last = backbone.schedule(DEFAULT_SCHEDULER, 1, 0).train_timesteps

    def draw(rng: np.random.Generator, count: int) -> Tensor:
        return torch.from_numpy(rng.integers(recipe.lowest_timestep, last, size=count))

    return draw


def _shifted(backbone: Backbone, recipe: BaseRecipe) -> DrawTimesteps:
    """Logit-normal, with the shift of the schedule."""
    shift = backbone.schedule(DEFAULT_SCHEDULER, 1, 0).shift

    def draw(rng: np.random.Generator, count: int) -> Tensor:
        return timesteps_of(torch.from_numpy(rng.standard_normal(count)).float(), shift)

    return draw


KINDS: Mapping[BaseName, BaseKind] = {
    "unet3d": BaseKind("dpmpp_2m", _evenly),
    "animatediff": BaseKind("dpmpp_2m", _evenly),
    "wan": BaseKind(SOLVER, _shifted),
}


@torch.no_grad()
def walls_of(backbone: Backbone, num_frames: int) -> dict[str, Tensor]:
    """Latents [c, f, h, w] of clips of every wall without an object.

    f is 1 where a latent frame stands for one picture.
    """
    frames = 1 if backbone.spec.time == 1 else num_frames
    walls = {}
    for name in WALLS:
        still = torch.from_numpy(empty_wall(name)).float().expand(frames, -1, -1, -1)
        walls[name] = backbone.encode(still, frames)[0].to(backbone.device)
    return walls
