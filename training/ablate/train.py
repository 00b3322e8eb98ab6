"""One training: a warm start from words, then the published loss on the frozen text-to-video model.

From random weights the loss needs many more steps than an ablation can afford. So the tokens (before
windows and pooling) are first fitted to the embeddings of the words that name colour, shape and height in a
frame, as for the bundled demo adapter; this is cheap, since nothing but the adapter runs. All rows share it.

Legend: B clips, F frames, D token width.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..demo_world.mapper import word_targets
from ..demo_world.world import FPS, NUM_FRAMES, SHAPES, Scene
from ..parts import LearningRate, minimize, temp_l1
from .adapter import Adapter, make_adapter
from .caches import Clips, Models
from .settings import Recipe, Variant

WARM_UP = 10  # steps
START_BATCH = 16  # clips


@dataclass(frozen=True)
class Trained:
    """An adapter and the duration of its training: `seconds` of CPU time, of wall time with a GPU."""

    adapter: Adapter
    seconds: float


def train(models: Models, clips: Clips, recipe: Recipe, variant: Variant, seed: int) -> Trained:
    """Train an adapter. TrainingError when the loss is not finite."""
    clock = time.process_time if models.backbone.device.type == "cpu" else time.perf_counter
    began = clock()
    features, times = clips.audio_features(variant.layout, variant.hop_ms)
    adapter = make_adapter(variant, features.shape[-1], models.backbone.spec.word_width, seed)
    adapter.to(models.backbone.device).train()
    if variant.start == "words":
        fit_to_words(models, clips, recipe, variant, adapter, seed)
    prediction = models.prediction_error()
    timesteps = prediction.schedule.train_timesteps

    def loss(step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([21, seed, step])
        chosen = rng.integers(len(clips), size=recipe.batch)
        start = int(rng.integers(NUM_FRAMES - recipe.frames + 1))
        prompts = [training_prompt(clips.items[n][0], variant.words, rng) for n in chosen]
        t = torch.from_numpy(rng.integers(recipe.lowest_timestep, timesteps, size=len(chosen)))
        tokens = adapter.map_features(features[torch.from_numpy(chosen)], times, NUM_FRAMES, FPS)
        clean = clips.latents[torch.from_numpy(chosen)][:, :, start : start + recipe.frames]
        noise = torch.from_numpy(rng.standard_normal(clean.shape, dtype=np.float32))
        words = {
            word: piece[:, start:][:, : recipe.frames] for word, piece in adapter.pool_words(tokens).items()
        }
        mse = prediction.squared(clean, noise.to(clean.device), t, models.context(prompts, words)).mean()
        return {"loss": mse + variant.l1_weight * temp_l1(tokens[:, :NUM_FRAMES]).mean()}

    steps = round(recipe.steps * variant.share)
    minimize(adapter, loss, learning_rate(recipe.learning_rate), steps=steps)
    return Trained(adapter.eval(), clock() - began)


def training_prompt(scene: Scene, words: tuple[str, ...], rng: np.random.Generator) -> str:
    """Audio words alone or mixed with text; a colour that is not the object's own is always named."""
    names_colour = scene.colour != SHAPES[scene.shape] or rng.random() < 0.25
    colour = ["a", scene.colour] if names_colour else []
    shape = [scene.shape] if names_colour and rng.random() < 0.25 else []
    side = ["on the", scene.side] if rng.random() < 0.25 else []
    wall = ["on", scene.wall] if rng.random() < 0.25 else []
    return " ".join(["a video of", *colour, *shape, *(f"<{word}>" for word in words), *side, *wall])


def fit_to_words(
    models: Models, clips: Clips, recipe: Recipe, variant: Variant, adapter: Adapter, seed: int
) -> None:
    """Fits the tokens of every frame to `word_targets`."""
    rows, targets = word_targets(models.backbone, [scene for scene, _ in clips.items])
    features, times = clips.audio_features(variant.layout, variant.hop_ms)

    def loss(step: int) -> dict[str, Tensor]:
        chosen = torch.from_numpy(
            np.random.default_rng([22, seed, step]).integers(len(rows), size=START_BATCH)
        )
        tokens = adapter.map_features(features[rows[chosen]], times, NUM_FRAMES, FPS)
        return {"loss": nn.functional.mse_loss(tokens[:, :NUM_FRAMES], targets[chosen]) / targets.var()}

    minimize(adapter, loss, learning_rate(recipe.start_learning_rate), steps=recipe.start_steps)


def learning_rate(peak: float) -> LearningRate:
    """Cosine over all steps down to a hundredth, times a short linear warm-up."""
    return LearningRate(peak, "cosine", warm_up_steps=WARM_UP, final_share=0.01, cosine_start=0)
