"""Trains the VAE of the demo's Wan, 25 pictures of 64 x 64 to 16 x 7 x 8 x 8 latents.

Single pictures come first. Then its layers in time start as what shows the last picture of every four, four
times, and learn the motion between: from random layers in time it takes far longer until anything moves. Most
steps see a part of the picture around the object, which is what is hard. The decoder gets latents with a
little noise, as sampled ones have, and what moves weighs most, then the object, then the wall.

Legend: B clips, F frames, H W picture size.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..fitting import device, fit
from ..vae import pictures
from ..world import SIZE, random_scene, render
from .layers import of_single_pictures, start_in_time

NUM_FRAMES = 25  # of a clip of this model, 4n + 1
CONFIG: dict[str, Any] = {"base_dim": 8, "z_dim": 16}
OBJECT_WEIGHT, MOTION_WEIGHT = 4.0, 4.0  # of pixels, each on top of what is there
OBJECT_ABOVE = 0.05  # difference from the wall, of 2
MOTION_ABOVE = 0.1  # difference from the median over time, of 2
NOISE = 0.1  # standard deviation of the noise on the latents, as a share of theirs
PICTURES_SHARE = 0.3  # of steps and time, on single pictures
PART = (40, 32)  # height and width of a part of the picture
PART_FRAMES = 13  # of a clip of parts: after the first two latent frames all are alike to the VAE


def clips(step: int, count: int, frames: int = NUM_FRAMES) -> Tensor:
    """`count` pieces of random scenes, [count, 3, frames, H, W] in -1..1."""
    rng = np.random.default_rng([11, step])
    pieces = []
    for _ in range(count):
        video = render(random_scene(rng, num_frames=NUM_FRAMES, natural=0.4))
        start = int(rng.integers(NUM_FRAMES - frames + 1))
        pieces.append(video[start : start + frames])
    return torch.from_numpy(np.stack(pieces)).permute(0, 4, 1, 2, 3) * 2 - 1


def parts(video: Tensor, step: int) -> Tensor:
    """Of every clip [B, 3, F, H, W] a part of the picture."""
    rng = np.random.default_rng([15, step])
    found = []
    for clip in video:
        top, left = (int(rng.integers((SIZE - side) // 8 + 1)) * 8 for side in PART)
        found.append(clip[..., top : top + PART[0], left : left + PART[1]])
    return torch.stack(found)


def weight(video: Tensor) -> Tensor:
    """Of every pixel of clips in the loss, [B, 1, F, H, W]."""
    wall = video.median(dim=-1, keepdim=True).values
    usual = video.median(dim=2, keepdim=True).values
    is_object = (video - wall).abs().amax(1, keepdim=True) > OBJECT_ABOVE
    moves = (video - usual).abs().amax(1, keepdim=True) > MOTION_ABOVE
    return 1 + OBJECT_WEIGHT * is_object + MOTION_WEIGHT * moves


def losses(vae: Any, video: Tensor, noise: float) -> dict[str, Tensor]:
    """Errors of the reconstruction of clips [B, 3, F, H, W] from latents with noise."""
    latents = vae.encode(video).latent_dist.mean
    noisy = latents + noise * latents.detach().std() * torch.randn_like(latents)
    error = vae.decode(noisy).sample - video
    weights = weight(video)
    l1, l2 = (weights * error.abs()).mean(), (weights * error.square()).mean()
    return {"loss": l1 + 5 * l2, "l1": error.detach().abs().mean(), "l2": error.detach().square().mean()}


def new_vae() -> Any:
    """An untrained VAE."""
    from diffusers import AutoencoderKLWan

    torch.manual_seed(0)
    return AutoencoderKLWan(**CONFIG).to(device())


def train(work: Path, steps: int = 5000, minutes: float = 0.0) -> None:
    """Fits the VAE and writes it to `work/vae`, its latents in their own scale."""
    vae = new_vae()
    single, single_minutes = round(PICTURES_SHARE * steps), PICTURES_SHARE * minutes

    def of_pictures(step: int) -> dict[str, Tensor]:
        noise = NOISE if 3 * step > single else 0.0
        picture = pictures(10**7 + step, 24 if step % 4 else 8)[:, :, None]
        return losses(vae, (parts(picture, step) if step % 4 else picture).to(device()), noise)

    def of_clips(step: int) -> dict[str, Tensor]:
        video = parts(clips(step, 4, PART_FRAMES), step) if step % 4 else clips(step, 1)
        with torch.autocast(device().type, torch.bfloat16):
            return losses(vae, video.to(device()), NOISE)

    with of_single_pictures(vae):
        weights = fit(
            "vae_pictures",
            work,
            vae,
            of_pictures,
            steps=single,
            learning_rate=3e-3,
            decay=0.99,
            minutes=single_minutes,
        )
    vae.load_state_dict(weights)
    start_in_time(vae)
    weights = fit(
        "vae_clips",
        work,
        vae,
        of_clips,
        steps=steps - single,
        learning_rate=2e-3,
        decay=0.995,
        minutes=minutes - single_minutes,
    )
    vae.load_state_dict(weights)
    vae.save_pretrained(work / "vae")
