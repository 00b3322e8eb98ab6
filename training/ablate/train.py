"""One training: a start from words, then the published loss on the frozen text-to-video model.

From random weights the loss needs many more steps than an ablation can pay for. So the tokens (before
windows and pooling) are first fitted to the embeddings of the words that name colour, shape and height of a
moment, as for the bundled demo adapter; this is cheap, since nothing but the adapter runs. All rows share it.

Legend: B clips, F frames, D token width.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from a2v_core.backbones.unet3d import denoise
from a2v_core.prompts import encode_clips
from a2v_core.schedules import make_scheduler

from ..demo_world.world import FPS, NUM_FRAMES, SHAPES, Scene, heights, level_word
from ..diffusion import add_noise, prediction_target
from ..errors import TrainingError
from .adapter import Adapter, count_parameters, make_adapter
from .caches import Clips, Models
from .settings import Recipe, Variant

WARM_UP = 10  # steps
START_BATCH = 16  # clips


@dataclass(frozen=True)
class Trained:
    """An adapter and what its training took. `seconds` of the processor, or of the clock with a GPU."""

    adapter: Adapter
    parameters: int
    seconds: float


def train(models: Models, clips: Clips, recipe: Recipe, variant: Variant, seed: int) -> Trained:
    """Train an adapter. TrainingError when the loss is not finite."""
    clock = time.process_time if models.backbone.device.type == "cpu" else time.perf_counter
    began = clock()
    features, times = clips.heard(variant.layout, variant.hop_ms)
    adapter = make_adapter(variant, features.shape[-1], models.backbone.token_width, seed)
    adapter.to(models.backbone.device).train()
    if variant.start == "words":
        fit_to_words(models, clips, recipe, variant, adapter, seed)
    objective = Objective(models)

    def loss(step: int) -> Tensor:
        rng = np.random.default_rng([21, seed, step])
        chosen = rng.integers(len(clips), size=recipe.batch)
        start = int(rng.integers(NUM_FRAMES - recipe.frames + 1))
        prompts = [training_prompt(clips.items[n][0], variant.words, rng) for n in chosen]
        t = torch.from_numpy(rng.integers(recipe.lowest_timestep, objective.timesteps, size=len(chosen)))
        tokens = adapter.map_features(features[torch.from_numpy(chosen)], times, NUM_FRAMES, FPS)
        clean = clips.latents[torch.from_numpy(chosen)][:, :, start : start + recipe.frames]
        noise = torch.from_numpy(rng.standard_normal(clean.shape, dtype=np.float32))
        words = {
            word: piece[:, start:][:, : recipe.frames] for word, piece in adapter.pool_words(tokens).items()
        }
        mse = objective.mse(clean, noise, t, prompts, words)
        return mse + variant.l1_weight * tokens[:, :NUM_FRAMES].abs().mean()

    _descend(adapter, loss, round(recipe.steps * variant.share), recipe.learning_rate)
    return Trained(adapter.eval(), count_parameters(adapter), clock() - began)


class Objective:
    """The first term of the loss: prediction error of the frozen model."""

    def __init__(self, models: Models) -> None:
        self.backbone = models.backbone
        self.alphas: Tensor = make_scheduler("ddpm", self.backbone.scheduler_config).alphas_cumprod.float()

    @property
    def timesteps(self) -> int:
        """Length of the noise schedule."""
        return len(self.alphas)

    def mse(
        self, clean: Tensor, noise: Tensor, t: Tensor, prompts: list[str], words: dict[str, Tensor]
    ) -> Tensor:
        """For latents and noise [B, 4, F, h, w], timesteps [B], prompts and word -> [B, F, D]."""
        noise = noise.to(clean.device)
        noisy = add_noise(clean, noise, t, self.alphas)
        context = encode_clips(self.backbone.text_encoder, self.backbone.tokenizer, prompts, words)
        kind = self.backbone.scheduler_config.get("prediction_type", "epsilon")
        wanted = prediction_target(kind, clean, noise, t, self.alphas)
        return nn.functional.mse_loss(denoise(self.backbone.unet, noisy, t, context), wanted)


def training_prompt(scene: Scene, words: tuple[str, ...], rng: np.random.Generator) -> str:
    """Audio words alone or mixed with text; a colour that is not the object's own is always said."""
    says_colour = scene.colour != SHAPES[scene.shape] or rng.random() < 0.25
    colour = ["a", scene.colour] if says_colour else []
    shape = [scene.shape] if says_colour and rng.random() < 0.25 else []
    side = ["on the", scene.side] if rng.random() < 0.25 else []
    wall = ["on", scene.wall] if rng.random() < 0.25 else []
    return " ".join(["a video of", *colour, *shape, *(f"<{word}>" for word in words), *side, *wall])


def fit_to_words(
    models: Models, clips: Clips, recipe: Recipe, variant: Variant, adapter: Adapter, seed: int
) -> None:
    """Fits the tokens of every frame to the words of its moment, on clips whose object has its own colour."""
    scenes = [scene for scene, _ in clips.items]
    rows = [n for n, scene in enumerate(scenes) if scene.hits and scene.colour == SHAPES[scene.shape]]
    wanted = torch.stack([words_of_moments(models, scenes[n]) for n in rows])
    features, times = clips.heard(variant.layout, variant.hop_ms)

    def loss(step: int) -> Tensor:
        chosen = torch.from_numpy(
            np.random.default_rng([22, seed, step]).integers(len(rows), size=START_BATCH)
        )
        tokens = adapter.map_features(features[torch.tensor(rows)[chosen]], times, NUM_FRAMES, FPS)
        return nn.functional.mse_loss(tokens[:, :NUM_FRAMES], wanted[chosen]) / wanted.var()

    _descend(adapter, loss, recipe.start_steps, recipe.start_learning_rate)


def words_of_moments(models: Models, scene: Scene) -> Tensor:
    """Sum of the embeddings of colour, shape and height word for each frame, [F, D]."""
    tokenizer: Any = models.backbone.tokenizer
    table = models.backbone.text_encoder.get_input_embeddings().weight
    said: dict[str, Tensor] = {}
    for height in heights(scene):
        level = level_word(float(height))
        if level not in said:
            text = f"{scene.colour} {scene.shape} {level}"
            said[level] = table[tokenizer(text, add_special_tokens=False).input_ids].sum(0)
    return torch.stack([said[level_word(float(height))] for height in heights(scene)]).detach()


def _descend(adapter: nn.Module, loss: Callable[[int], Tensor], steps: int, rate: float) -> None:
    """AdamW with gradients clipped to 1, a short warm-up and a cosine to a hundredth of the rate."""
    weights = [weight for weight in adapter.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=rate, weight_decay=1e-3, betas=(0.9, 0.99))
    for step in range(steps):
        factor = min(1.0, (step + 1) / WARM_UP) * (0.505 + 0.495 * math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = rate * factor
        value = loss(step)
        if not torch.isfinite(value):
            raise TrainingError(f"the loss is {float(value)} at step {step}: lower the learning rate")
        value.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
