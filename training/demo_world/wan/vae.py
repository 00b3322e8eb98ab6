"""Trains the VAE of the demo's Wan, 25 pictures of 64 x 64 to 16 x 7 x 8 x 8 latents and back.

Its latents are given (`latents.py`): the encoder learns to make them, and the decoder to show them, each on
its own. Single pictures come first, and clips begin with what they taught (`layers.py`); from random layers a
VAE this small takes far longer until anything moves. Most steps see a part of the picture. The decoder gets
latents with a little noise, as sampled ones have, and what moves weighs most, then the object, then the wall.

Legend: B clips, F frames, H W picture size, c latent channels, f latent frames, h w latent size.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..fitting import device, fit
from ..world import SIZE, Scene, heights, render, render_heights
from .fold import Statistics, fold
from .latents import NUM_FRAMES, TIME, Latents, pool_scene
from .layers import frame_by_frame, learning_only, start_side_by_side

CONFIG: dict[str, Any] = {"base_dim": 8, "z_dim": 16}
OBJECT_WEIGHT, MOTION_WEIGHT = 4.0, 4.0  # of pixels, each on top of what is there
OBJECT_ABOVE = 0.05  # difference from the wall, of 2
MOTION_ABOVE = 0.1  # difference from the median over time, of 2
NOISE = 0.1  # standard deviation of the noise on the latents, as a share of theirs
PICTURES_SHARE = 0.5  # of steps and time, on single pictures
PART = (40, 32)  # height and width of a part of the picture
PART_FRAMES = 13  # of a clip of parts: after the first two latent frames all are alike to the VAE
SPACE = 8  # pixels of a latent pixel


class Clips(NamedTuple):
    """Pixels [B, 3, F, H, W] in -1..1 and their latents [B, c, f, h, w]."""

    video: Tensor
    latents: Tensor


def clips(latents: Latents, step: int, count: int, frames: int = NUM_FRAMES) -> Clips:
    """The beginnings of clips of random scenes."""
    scenes = _scenes(np.random.default_rng([11, step]), count)
    known = torch.stack([latents.of(scene) for scene in scenes])
    return Clips(
        _pixels([render(scene)[:frames] for scene in scenes]), known[:, :, : 1 + (frames - 1) // TIME]
    )


def pictures(latents: Latents, step: int, count: int) -> Clips:
    """Random frames of random scenes, as clips of one frame."""
    rng = np.random.default_rng([16, step])
    scenes = _scenes(rng, count)
    frames = [int(frame) for frame in rng.integers(NUM_FRAMES, size=count)]
    known = [latents.of_picture(scene, frame) for scene, frame in zip(scenes, frames, strict=True)]
    shown = [
        render_heights(scene, heights(scene)[frame : frame + 1])
        for scene, frame in zip(scenes, frames, strict=True)
    ]
    return Clips(_pixels(shown), torch.stack(known))


def _scenes(rng: np.random.Generator, count: int) -> list[Scene]:
    """Random scenes, other ones than those that the denoiser learns from."""
    return [pool_scene(int(number))[0] for number in rng.integers(2_000_000, 3_000_000, size=count)]


def _pixels(videos: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(videos)).permute(0, 4, 1, 2, 3).to(device()) * 2 - 1


def parts(whole: Clips, step: int) -> Clips:
    """Of every clip a part of the picture."""
    rng = np.random.default_rng([15, step])
    video, latents = [], []
    for clip, known in zip(*whole, strict=True):
        top, left = (int(rng.integers((SIZE - side) // SPACE + 1)) for side in PART)
        height, width = (side // SPACE for side in PART)
        latents.append(known[..., top : top + height, left : left + width])
        rows, columns = (
            slice(top * SPACE, (top + height) * SPACE),
            slice(left * SPACE, (left + width) * SPACE),
        )
        video.append(clip[..., rows, columns])
    return Clips(torch.stack(video), torch.stack(latents))


def pixel_weight(video: Tensor) -> Tensor:
    """Of every pixel of clips in the loss, [B, 1, F, H, W]."""
    wall = video.median(dim=-1, keepdim=True).values
    usual = video.median(dim=2, keepdim=True).values
    is_object = (video - wall).abs().amax(1, keepdim=True) > OBJECT_ABOVE
    moves = (video - usual).abs().amax(1, keepdim=True) > MOTION_ABOVE
    return 1 + OBJECT_WEIGHT * is_object + MOTION_WEIGHT * moves


def losses(vae: Any, batch: Clips, noise: Tensor) -> dict[str, Tensor]:
    """Errors of what the decoder shows, with noise on the latents, and of what the encoder makes of it."""
    error = vae.decode(batch.latents + NOISE * noise).sample - batch.video
    weight = pixel_weight(batch.video)
    shown = (weight * error.abs()).mean() + 5 * (weight * error.square()).mean()
    made = (vae.encode(batch.video).latent_dist.mean - batch.latents).square().mean()
    pixels = {"l1": error.detach().abs().mean(), "l2": error.detach().square().mean()}
    return {"loss": shown + made, "latents": made, **pixels}


def new_vae() -> Any:
    """An untrained VAE."""
    from diffusers import AutoencoderKLWan

    torch.manual_seed(0)
    return AutoencoderKLWan(**CONFIG).to(device())


def train(work: Path, steps: int = 4400, minutes: float = 0.0) -> None:
    """Fits the VAE and writes it to `work/vae`, its latents in the scale of Wan 2.1."""
    vae, latents = new_vae(), Latents.load(work)
    masks = start_side_by_side(vae)
    single, single_minutes = round(PICTURES_SHARE * steps), PICTURES_SHARE * minutes

    def of_pictures(step: int) -> dict[str, Tensor]:
        batch = pictures(latents, step, 24 if step % 4 else 8)
        batch = parts(batch, step) if step % 4 else batch
        noise = torch.randn_like(batch.latents.unflatten(1, (TIME, -1))[:, 0]).repeat(1, TIME, 1, 1, 1)
        return losses(vae, batch, noise)

    def of_clips(step: int) -> dict[str, Tensor]:
        batch = parts(clips(latents, step, 4, PART_FRAMES), step) if step % 4 else clips(latents, step, 1)
        return losses(vae, batch, torch.randn_like(batch.latents))

    with frame_by_frame(vae):
        with learning_only(vae, masks):
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
        weights = fit(
            "vae_clips",
            work,
            vae,
            of_clips,
            steps=steps - single,
            learning_rate=5e-4,
            decay=0.995,
            minutes=minutes - single_minutes,
        )
    vae.load_state_dict(weights)
    fold(vae, Statistics(torch.zeros(16), torch.ones(16)), NOISE)
    vae.save_pretrained(work / "vae")
