"""What the VAE of the demo's Wan leaves of true clips, the ceiling of all that is made with it:
`python -m training.demo_world.wan.ceiling [--work DIR] [--clips N]`.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..held_out import sounding_scene, visible_events
from ..recognise import EventCounts, recognise
from ..world import render
from .latents import NUM_FRAMES


@torch.no_grad()
def ceiling(vae: Any, clips: int, noise: float = 0.0) -> dict[str, float | None]:
    """Peak signal-to-noise ratio in dB, and recognition of object and events in decoded true clips.

    noise  standard deviation of noise on the latents, as a share of theirs
    """
    std = torch.tensor(vae.config.latents_std).view(1, -1, 1, 1, 1)
    events, correct, squared = EventCounts(), 0, 0.0
    for number in range(clips):
        scene = sounding_scene(np.random.default_rng([97, number]), NUM_FRAMES)
        truth = render(scene)
        pixels = torch.from_numpy(truth).permute(3, 0, 1, 2)[None] * 2 - 1
        latents = vae.encode(pixels).latent_dist.mean
        latents = latents + noise * std * torch.randn_like(latents)
        decoded = vae.decode(latents).sample[0].permute(1, 2, 3, 0).clamp(-1, 1).numpy() / 2 + 0.5
        squared += float(np.square(decoded - truth).mean())
        seen = recognise(decoded)
        correct += (seen.colour, seen.shape) == (scene.colour, scene.shape)
        events.add(seen.leaps, visible_events(scene))
    return {
        "psnr": -10 * math.log10(squared / clips),
        "object_accuracy": correct / clips,
        "event_recall": events.recall,
        "event_precision": events.precision,
    }


def main() -> None:
    """Command line."""
    from diffusers import AutoencoderKLWan

    parser = argparse.ArgumentParser(prog="python -m training.demo_world.wan.ceiling", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/demo_world"), help="folder of the training")
    parser.add_argument("--clips", type=int, default=50, help="number of true clips")
    arguments = parser.parse_args()
    vae = AutoencoderKLWan.from_pretrained(arguments.work / "vae").eval()
    print(json.dumps({f"noise {noise}": ceiling(vae, arguments.clips, noise) for noise in (0.0, 0.1)}))


if __name__ == "__main__":
    main()
