"""Latents of every picture of the demo world, encoded once, so that training never runs the VAE.

A picture is given by shape, colour, wall, side and height, and heights take few values (loudness times a
power of the sinking), so all pictures together are a table of some ten thousand latents.
"""

from __future__ import annotations

import itertools
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2v_core.checkpoints import read_checkpoint, write_safetensors

from .fitting import device
from .world import COLOURS, LOUDNESS, REST, SHAPES, SIDES, SINK, WALLS, Scene, heights, render_heights


class Atlas:
    """Table of latents [appearances, heights, 4, h, w], scaled to a variance of about 1."""

    def __init__(self, table: Tensor) -> None:
        self.table = table

    @cached_property
    def appearances(self) -> dict[tuple[str, str, str, str], int]:
        """Row of each (shape, colour, wall, side)."""
        return {key: row for row, key in enumerate(itertools.product(SHAPES, COLOURS, WALLS, SIDES))}

    @staticmethod
    def levels() -> np.ndarray:
        """All heights that occur, sorted, starting with 0."""
        powers = np.arange(12)
        values = np.asarray(LOUDNESS)[:, None] * SINK ** powers[None]
        return np.unique(np.concatenate([[0.0], values[values > REST * SINK].ravel()]).round(9))

    def latents(self, scene: Scene) -> Tensor:
        """Latents of a scene, [4, F, h, w]."""
        row = self.appearances[scene.shape, scene.colour, scene.wall, scene.side]
        levels = self.levels()
        columns = np.abs(levels[None] - heights(scene)[:, None]).argmin(1)
        return self.table[row, torch.from_numpy(columns)].movedim(0, 1)

    @classmethod
    def load(cls, work: Path, vae: Any) -> Atlas:
        """The table from `work/atlas.safetensors`, made with `vae` if it is not there yet."""
        path = work / "atlas.safetensors"
        if not path.exists():
            write_safetensors(path, {"table": cls._encode(vae)}, {})
        return cls(read_checkpoint(path).tensors["table"].to(device()))

    @classmethod
    @torch.no_grad()
    def _encode(cls, vae: Any) -> Tensor:
        rows = []
        for shape, colour, wall, side in itertools.product(SHAPES, COLOURS, WALLS, SIDES):
            frames = render_heights(Scene(shape, colour, wall, side), cls.levels())
            picture = torch.from_numpy(frames).permute(0, 3, 1, 2) * 2 - 1
            rows.append(vae.encode(picture.to(device())).latent_dist.mean * vae.config.scaling_factor)
        return torch.stack(rows)
