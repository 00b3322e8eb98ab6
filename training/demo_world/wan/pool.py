"""Some thousand clips of the demo world as latents of the demo's Wan VAE, encoded once.

A clip is given by its number: captions, sounds and the place of the object are made again from its scene.

Legend: N clips, c latent channels, f latent frames, h w latent size.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2v_core.checkpoints import read_checkpoint, write_safetensors

from ..fitting import device
from ..world import FPS, WALLS, Scene, empty_wall, random_scene, render
from .fold import built_in, fold, measure
from .vae import NOISE, NUM_FRAMES

BLOCK = 100  # clips of a file
FOR_STATISTICS = 200  # clips that mean and deviation of the latents are measured on
OBJECT_WEIGHT = 5.0  # of the object in losses: it fills a tenth of the picture
OBJECT_ABOVE = 0.3  # mean difference from the latents of the wall


def pool_scene(number: int) -> tuple[Scene, np.random.Generator]:
    """Scene of a clip, and the generator from which its sound is drawn next."""
    rng = np.random.default_rng([12, number])
    return random_scene(rng, num_frames=NUM_FRAMES, natural=0.6), rng


class Pool:
    """Latents [N, c, f, h, w] of the clips that were encoded, with mean 0 and deviation 1, and those of walls
    without an object.
    """

    def __init__(self, latents: Tensor, walls: dict[str, Tensor]) -> None:
        self.latents, self.walls = latents, walls
        self.scenes = [pool_scene(number)[0] for number in range(len(latents))]

    @classmethod
    def load(cls, work: Path) -> Pool:
        """The blocks that are in `work/pool` now."""
        walls = read_checkpoint(work / "pool" / "walls.safetensors").tensors
        blocks = [read_checkpoint(path).tensors["latents"] for path in _blocks(work)]
        latents = torch.cat(blocks).float().to(device())
        return cls(latents, {name: wall.float().to(device()) for name, wall in walls.items()})

    def weight(self, numbers: np.ndarray) -> Tensor:
        """Weight [B, 1, f, h, w] of every latent pixel of clips in a loss: more on the object."""
        chosen = torch.from_numpy(numbers)
        behind = torch.stack([self.walls[self.scenes[number].wall] for number in numbers])
        objects = (self.latents[chosen] - behind).abs().mean(1, keepdim=True) > OBJECT_ABOVE
        return 1 + (OBJECT_WEIGHT - 1) * objects


def train(work: Path, steps: int = 2000, minutes: float = 0.0) -> None:
    """Folds the latents' mean and deviation into the VAE of `work/vae`, writes it to `work/vae_folded`, and
    encodes those of the first `steps` clips that are missing.
    """
    from diffusers import AutoencoderKLWan

    folder, target = work / "pool", work / "vae_folded"
    folder.mkdir(exist_ok=True)
    if not (target / "config.json").exists():
        vae = AutoencoderKLWan.from_pretrained(work / "vae").to(device()).eval()
        raw = torch.cat([_in_own_scale(vae, _videos(range(n, n + 4))) for n in range(0, FOR_STATISTICS, 4)])
        fold(vae, measure(raw.cpu()), NOISE)
        vae.save_pretrained(target)
    vae = AutoencoderKLWan.from_pretrained(target).to(device()).eval()
    walls = {name: np.repeat(empty_wall(name)[None], NUM_FRAMES, 0) for name in WALLS}
    tensors = {name: encode(vae, video[None])[0] for name, video in walls.items()}
    write_safetensors(folder / "walls.safetensors", tensors, {})
    for start in range(BLOCK * len(_blocks(work)), steps, BLOCK):
        parts = [encode(vae, _videos(range(n, n + 4))) for n in range(start, start + BLOCK, 4)]
        write_safetensors(_block(work, start), {"latents": torch.cat(parts).half()}, {})
        print(f"{start + BLOCK} clips of {NUM_FRAMES / FPS:.2f} s", flush=True)


def encode(vae: Any, videos: np.ndarray) -> Tensor:
    """Videos [B, F, H, W, 3] in 0..1 to latents [B, c, f, h, w] with mean 0 and deviation 1."""
    mean, std = (values.float().to(device())[:, None, None, None] for values in built_in(vae))
    return (_in_own_scale(vae, videos) - mean) / std


@torch.no_grad()
def _in_own_scale(vae: Any, videos: np.ndarray) -> Tensor:
    pixels = torch.from_numpy(videos).float().permute(0, 4, 1, 2, 3).to(device()) * 2 - 1
    latents: Tensor = vae.encode(pixels).latent_dist.mean
    return latents


def _videos(numbers: range) -> np.ndarray:
    return np.stack([render(pool_scene(number)[0]) for number in numbers])


def _block(work: Path, start: int) -> Path:
    return work / "pool" / f"{start:06d}.safetensors"


def _blocks(work: Path) -> list[Path]:
    """Files of the pool, those without a gap before them."""
    found: list[Path] = []
    while (path := _block(work, BLOCK * len(found))).exists():
        found.append(path)
    return found
