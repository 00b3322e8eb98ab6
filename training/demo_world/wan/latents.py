"""The latents of the demo's Wan: those of the demo's VAE of pictures, four frames stacked in the channels.

So they are known before there is a VAE of clips, which then learns to make and to show them, and the denoiser
trains on any number of clips without it.

Legend: F = 4n + 1 video frames, f = n + 1 latent frames, h w latent size, B clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from a2v_core.backbones import load_t2v
from a2v_core.demo import demo_path

from ..atlas import Atlas
from ..captioned import object_weight, wall_latents
from ..fitting import device
from ..world import Scene, random_scene

NUM_FRAMES = 25  # of a clip
TIME = 4  # video frames of a latent frame; the first stands for one
FOR_STATISTICS = 500  # scenes that mean and deviation are measured on


def pool_scene(number: int) -> tuple[Scene, np.random.Generator]:
    """Scene of a number, and the generator from which its sound is drawn next."""
    rng = np.random.default_rng([12, number])
    return random_scene(rng, num_frames=NUM_FRAMES, natural=0.6), rng


def stack(latents: Tensor) -> Tensor:
    """Latents of pictures [c, F, h, w] to [4c, f, h, w], the first picture four times."""
    first, rest = latents[:, :1].expand(-1, TIME, -1, -1), latents[:, 1:]
    frames = torch.cat([first, rest], 1).unflatten(1, (-1, TIME))  # [c, f, 4, h, w]
    return frames.permute(2, 0, 1, 3, 4).flatten(0, 1)


class Latents:
    """Makes the latents of scenes, every channel with mean 0 and deviation 1."""

    def __init__(self, atlas: Atlas, walls: dict[str, Tensor]) -> None:
        self.atlas, self.walls = atlas, walls
        known = torch.stack([atlas.latents(pool_scene(n)[0]) for n in range(FOR_STATISTICS)], 1).flatten(1)
        self.mean, self.std = known.mean(1)[:, None, None, None], known.std(1)[:, None, None, None]

    @classmethod
    def load(cls, work: Path) -> Latents:
        """From the bundled VAE of pictures; what it makes of them is kept in `work`."""
        (vae,) = load_t2v(demo_path("t2v"), parts=["vae"]).parts()["vae"]
        vae.to(device())
        return cls(Atlas.load(work, vae), wall_latents(vae))

    def of(self, scene: Scene) -> Tensor:
        """Latents of the clip of a scene, [16, f, h, w]."""
        return stack(self._of_frames(scene))

    def of_picture(self, scene: Scene, frame: int) -> Tensor:
        """Latents of one frame of a scene as a clip by itself, [16, 1, h, w]."""
        return stack(self._of_frames(scene)[:, frame : frame + 1])

    def _of_frames(self, scene: Scene) -> Tensor:
        return (self.atlas.latents(scene) - self.mean) / self.std

    def weight(self, clean: Tensor, scenes: Sequence[Scene]) -> Tensor:
        """Weight [B, 1, f, h, w] of every pixel of the latents of scenes in a loss: more on the object."""
        return object_weight(clean, scenes, self.behind)

    @cached_property
    def behind(self) -> dict[str, Tensor]:
        """Latents [16, 1, h, w] of every wall without an object."""
        return {
            name: ((wall - self.mean) / self.std).repeat(TIME, 1, 1, 1) for name, wall in self.walls.items()
        }
