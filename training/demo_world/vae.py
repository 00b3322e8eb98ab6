"""Trains the demo VAE, 64 x 64 pictures to 4 x 8 x 8 latents, on single pictures of the demo world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import l1_loss, mse_loss

from .fitting import device, fit
from .world import NUM_FRAMES, SIZE, random_scene, render

CONFIG: dict[str, Any] = {
    "in_channels": 3,
    "out_channels": 3,
    "latent_channels": 4,
    "block_out_channels": [16, 32, 48, 64],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "sample_size": SIZE,
}


def pictures(step: int, count: int) -> torch.Tensor:
    """`count` random frames of random scenes, [count, 3, H, W] in -1..1."""
    rng = np.random.default_rng([1, step])
    frames: list[np.ndarray] = []
    while len(frames) < count:
        video = render(random_scene(rng, num_frames=NUM_FRAMES, natural=0.4))
        frames.extend(video[rng.choice(len(video), 4, replace=False)])
    return torch.from_numpy(np.stack(frames[:count])).permute(0, 3, 1, 2) * 2 - 1


def train(work: Path, steps: int = 2700, minutes: float = 0.0) -> None:
    """Fits the VAE and writes it to `work/t2v/vae` with the scaling factor that gives latents a variance of
    1.
    """
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    vae = AutoencoderKL(**CONFIG).to(device())

    def loss(step: int) -> dict[str, torch.Tensor]:
        picture = pictures(step, 16).to(device())
        posterior = vae.encode(picture).latent_dist
        decoded = vae.decode(posterior.sample()).sample
        l1, l2 = l1_loss(decoded, picture), mse_loss(decoded, picture)
        kl = posterior.kl().mean() / picture[0].numel()
        return {"loss": l1 + 5 * l2 + 1e-4 * kl, "l1": l1, "l2": l2, "kl": kl}

    weights = fit("vae", work, vae, loss, steps=steps, learning_rate=2e-3, decay=0.995, minutes=minutes)
    vae.load_state_dict(weights)
    vae.eval()
    with torch.no_grad():
        latents = vae.encode(pictures(10**6, 256).to(device())).latent_dist.mean
    vae.register_to_config(scaling_factor=round(1 / float(latents.std()), 5))
    vae.save_pretrained(work / "t2v" / "vae")
