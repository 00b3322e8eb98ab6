"""Trains the VAE of the demo's Wan, 25 pictures of 64 x 64 to 16 x 7 x 8 x 8 latents.

Single pictures come first: on clips alone it needs far longer until it sees anything. The decoder gets
latents with a little noise, as sampled ones have, and the object weighs more than the wall.

Legend: B clips, F frames, H W picture size.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from ..fitting import device, fit
from ..vae import pictures
from ..world import random_scene, render

NUM_FRAMES = 25  # of a clip of this model, 4n + 1
CONFIG: dict[str, Any] = {"base_dim": 8, "z_dim": 16}
OBJECT_WEIGHT = 4.0  # of the pixels of the object, on top of 1
OBJECT_ABOVE = 0.05  # difference from the wall, of 2
NOISE = 0.1  # standard deviation of the noise on the latents, as a share of theirs
PICTURES_SHARE = 0.25  # of steps and time, on single pictures
CLIP_FRAMES = 9


def clips(step: int, count: int) -> Tensor:
    """`count` pieces of random scenes, [count, 3, CLIP_FRAMES, H, W] in -1..1."""
    rng = np.random.default_rng([11, step])
    pieces = []
    for _ in range(count):
        video = render(random_scene(rng, num_frames=NUM_FRAMES, natural=0.4))
        start = int(rng.integers(NUM_FRAMES - CLIP_FRAMES + 1))
        pieces.append(video[start : start + CLIP_FRAMES])
    return torch.from_numpy(np.stack(pieces)).permute(0, 4, 1, 2, 3) * 2 - 1


def losses(vae: Any, video: Tensor, noise: float) -> dict[str, Tensor]:
    """Errors of the reconstruction of clips [B, 3, F, H, W] from latents with noise."""
    latents = vae.encode(video).latent_dist.mean
    noisy = latents + noise * latents.detach().std() * torch.randn_like(latents)
    error = vae.decode(noisy).sample - video
    wall = video.median(dim=-1, keepdim=True).values
    weight = 1 + OBJECT_WEIGHT * ((video - wall).abs().amax(1, keepdim=True) > OBJECT_ABOVE)
    l1, l2 = (weight * error.abs()).mean(), (weight * error.square()).mean()
    return {"loss": l1 + 5 * l2, "l1": error.detach().abs().mean(), "l2": error.detach().square().mean()}


def new_vae() -> Any:
    """An untrained VAE."""
    from diffusers import AutoencoderKLWan

    torch.manual_seed(0)
    return AutoencoderKLWan(**CONFIG).to(device())


@contextmanager
def of_single_pictures(vae: Any) -> Iterator[None]:
    """While it lasts, the VAE takes clips of one frame only, and is almost twice as fast at it: of a
    convolution in time only the last tap meets the frame, the others zeros before it.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d

    def last_tap(conv: Any) -> Any:
        def forward(x: Tensor, cache: Tensor | None = None) -> Tensor:
            padding = conv._padding[2], conv._padding[0]
            return nnf.conv2d(x[:, :, 0], conv.weight[:, :, -1], conv.bias, padding=padding)[:, :, None]

        return forward

    convs = [module for module in vae.modules() if isinstance(module, WanCausalConv3d)]
    for conv in convs:
        conv.forward = last_tap(conv)
    try:
        yield
    finally:
        for conv in convs:
            del conv.forward


def train(work: Path, steps: int = 4000, minutes: float = 0.0) -> None:
    """Fits the VAE and writes it to `work/vae`, its latents in their own scale."""
    vae = new_vae()
    single, single_minutes = round(PICTURES_SHARE * steps), PICTURES_SHARE * minutes

    def of_pictures(step: int) -> dict[str, Tensor]:
        noise = NOISE if 3 * step > single else 0.0
        return losses(vae, pictures(10**7 + step, 16)[:, :, None].to(device()), noise)

    def of_clips(step: int) -> dict[str, Tensor]:
        with torch.autocast(device().type, torch.bfloat16):
            return losses(vae, clips(step, 2).to(device()), NOISE)

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
