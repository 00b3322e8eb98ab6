"""Scenes of the demo world with a caption for every frame, and the loss of a denoiser that learns from them.

Captions describe a whole clip ("a video of a red ball bouncing"), single pictures ("a video of a red ball
high"), or every frame of a clip, so that the model follows a text per frame. Side and wall are
randomly left out of captions, and a tenth of the captions is empty, for classifier-free guidance.

Legend: B clips, F frames, c latent channels, f latent frames, h w latent size, L text positions, C text
width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..parts import PredictionError
from .atlas import Atlas
from .fitting import device
from .tokenizer import LENGTH
from .world import WALLS, Scene, clip_caption, empty_wall, frame_captions, random_scene

# The usual 0.012 leaves signal at the last timestep. In a clip of one colour that signal, summed over all
# frames, reveals the colour: the model would read it from the latents instead of the text. Content is decided
# at high noise, where an error hardly changes the predicted noise; v-prediction shows it in full.
SCHEDULER: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.02,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}
OBJECT_WEIGHT = 5.0  # of the object in the loss: it fills a tenth of the picture, but most words describe it
OBJECT_ABOVE = 0.25  # mean difference from the latents of the wall
PICTURES = 96  # single pictures in a step


class Size(NamedTuple):
    """Clips in a step, and frames of each."""

    clips: int
    frames: int


class Captioned(NamedTuple):
    """Latents [B, 4, F, h, w] of scenes, and the captions of all frames, clip after clip."""

    clean: Tensor
    captions: list[str]
    scenes: list[Scene]


def mixed(step: int, num_frames: int) -> Size:
    """Two steps of single pictures, from which words are learned, then one of whole or of half clips."""
    return Size(PICTURES, 1) if step % 3 else clips_alone(step, num_frames)


def clips_alone(step: int, num_frames: int) -> Size:
    """Whole and half clips in turns."""
    return Size(4, num_frames) if step % 2 else Size(8, num_frames // 2)


def captioned(atlas: Atlas, rng: np.random.Generator, size: Size, num_frames: int) -> Captioned:
    """Crops of random scenes of `num_frames` frames."""
    clips, frames = size
    latents, captions, scenes = [], [], []
    for _ in range(clips):
        scene = random_scene(rng, num_frames=num_frames, natural=0.5)
        latent, texts = atlas.latents(scene), frame_captions(scene, rng)
        start = int(rng.integers(num_frames - frames + 1))
        latent, texts = latent[:, start : start + frames], texts[start : start + frames]
        chance = rng.random()
        if chance < 0.1:
            texts = [""] * frames
        elif chance < 0.3 and frames > 1:
            texts = [clip_caption(scene, rng)] * frames
        latents.append(latent)
        captions.extend(texts)
        scenes.append(scene)
    return Captioned(torch.stack(latents), captions, scenes)


@dataclass(frozen=True)
class CaptionLoss:
    """Prediction error of a denoiser on captioned scenes, with the object's weight.

    encode  captions -> states [N, L, C];  `seed` of the scenes
    """

    prediction: PredictionError
    atlas: Atlas
    walls: dict[str, Tensor]
    encode: Callable[[list[str]], Tensor]
    seed: int
    num_frames: int

    def __call__(self, step: int, size: Size) -> dict[str, Tensor]:
        """The loss of a step, and the error without weights."""
        rng = np.random.default_rng([self.seed, step])
        clean, captions, scenes = captioned(self.atlas, rng, size, self.num_frames)
        noise = torch.randn_like(clean)
        t = torch.randint(0, 1000, (len(clean),), device=clean.device)
        context = self.encode(captions).unflatten(0, tuple(size))
        error = self.prediction.squared(clean, noise, t, context)
        return {"loss": (error * object_weight(clean, scenes, self.walls)).mean(), "mse": error.mean()}


def encode_captions(text_encoder: Any, tokenizer: Any, captions: list[str]) -> Tensor:
    """States [len(captions), L, C]; a caption that occurs twice is encoded once."""
    distinct = list(dict.fromkeys(captions))
    batch = tokenizer(distinct, padding="max_length", max_length=LENGTH, return_tensors="pt")
    states: Tensor = text_encoder(batch.input_ids.to(device())).last_hidden_state
    return states[[distinct.index(caption) for caption in captions]]


class KnownTexts:
    """States of texts under a text encoder that stays as it is: each is encoded once, without gradients.

    encode  N texts -> states [N, L, C]
    """

    def __init__(self, encode: Callable[[list[str]], Tensor]) -> None:
        self._encode = encode
        self._known: dict[str, Tensor] = {}

    @torch.no_grad()
    def states(self, texts: list[str]) -> Tensor:
        """States [N, L, C] of texts."""
        if new := [text for text in dict.fromkeys(texts) if text not in self._known]:
            self._known |= dict(zip(new, self._encode(new), strict=True))
        return torch.stack([self._known[text] for text in texts])


@torch.no_grad()
def wall_latents(vae: Any) -> dict[str, Tensor]:
    """Latents [4, 1, h, w] of every wall without an object."""
    pictures = torch.from_numpy(np.stack([empty_wall(name) for name in WALLS])).float().permute(0, 3, 1, 2)
    latents = vae.encode(pictures.to(device()) * 2 - 1).latent_dist.mean * vae.config.scaling_factor
    return dict(zip(WALLS, latents[:, :, None], strict=True))


def object_weight(clean: Tensor, scenes: Sequence[Scene], walls: dict[str, Tensor]) -> Tensor:
    """Weight [B, 1, f, h, w] of every latent pixel in the loss, for latents [B, c, f, h, w] of the scenes.

    walls: latents [c, f, h, w] without an object, or [c, 1, h, w] where all latent frames are alike.
    """
    behind = torch.stack([walls[scene.wall] for scene in scenes])
    objects = (clean - behind).abs().mean(1, keepdim=True) > OBJECT_ABOVE
    return 1 + (OBJECT_WEIGHT - 1) * objects
