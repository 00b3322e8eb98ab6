"""One training: a warm start from words, then the published loss on the frozen text-to-video model.

From random weights the loss needs many more steps than an ablation can afford. So the tokens (before
windows and pooling) are first fitted to the embeddings of the words that name colour, shape and height in a
frame, as for the bundled demo adapter; this is cheap, since nothing but the adapter runs. All rows share it.

Legend: B clips, c latent channels, F frames, f latent frames, h w latent size, D token width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from a2v_core.backbones import BackboneSpec

from ..demo_world.mapper import word_targets
from ..demo_world.world import FPS, SHAPES, Scene
from ..parts import LearningRate, PredictionError, minimize, temp_l1
from .adapter import Adapter, make_adapter
from .caches import Clips, Models
from .settings import Recipe, Variant

WARM_UP = 10  # steps
START_BATCH = 16  # clips


Module = TypeVar("Module", bound=nn.Module)
# From a generator and a number of clips B to timesteps [B].
DrawTimesteps = Callable[[np.random.Generator, int], Tensor]


@dataclass(frozen=True)
class Trained(Generic[Module]):
    """An adapter and the duration of its training, in seconds of CPU time, of wall time with a GPU.

    seconds       of all of it
    step_seconds  of a step on the loss
    """

    adapter: Module
    seconds: float
    step_seconds: float


@dataclass(frozen=True)
class StepLoss:
    """The published loss of a step: prediction error of the frozen model, and mean magnitude of the tokens.

    mapper     the adapter, or its part that makes words
    timesteps  draws them
    weight     of latent pixels, [B, 1, f, h, w], for clean latents [B, c, f, h, w] of scenes
    """

    models: Models
    clips: Clips
    recipe: Recipe
    variant: Variant
    seed: int
    mapper: Adapter
    prediction: PredictionError
    timesteps: DrawTimesteps
    weight: Callable[[Tensor, Sequence[Scene]], Tensor | float]

    def __call__(self, step: int) -> dict[str, Tensor]:
        recipe, clips, mapper, num_frames = self.recipe, self.clips, self.mapper, self.clips.num_frames
        features, times = clips.audio_features(self.variant.layout, self.variant.hop_ms)
        rng = np.random.default_rng([21, self.seed, step])
        chosen = rng.integers(len(clips), size=recipe.batch)
        start = int(rng.integers(num_frames - recipe.frames + 1))
        scenes = [clips.items[n][0] for n in chosen]
        prompts = [training_prompt(scene, self.variant.words, rng) for scene in scenes]
        t = self.timesteps(rng, len(chosen))
        tokens = mapper.map_features(features[torch.from_numpy(chosen)], times, num_frames, FPS)
        piece = crop(self.models.backbone.spec, start, recipe.frames)
        clean = clips.latents[torch.from_numpy(chosen)][:, :, piece]
        noise = torch.from_numpy(rng.standard_normal(clean.shape, dtype=np.float32))
        pooled = mapper.pool_words(tokens)
        words = {word: rows[:, :num_frames][:, piece] for word, rows in pooled.items()}
        context = self.models.context(prompts, words)
        error = self.prediction.squared(clean, noise.to(clean.device), t, context)
        l1 = self.variant.l1_weight * temp_l1(tokens[:, :num_frames]).mean()
        return {"loss": (self.weight(clean, scenes) * error).mean() + l1}


def train(models: Models, clips: Clips, recipe: Recipe, variant: Variant, seed: int) -> Trained[Adapter]:
    """Train an adapter. TrainingError when the loss is not finite."""
    features, _ = clips.audio_features(variant.layout, variant.hop_ms)
    adapter = make_adapter(variant, features.shape[-1], models.backbone.spec.word_width, seed)
    prediction = models.prediction_error()
    timesteps = prediction.schedule.train_timesteps

    def evenly(rng: np.random.Generator, count: int) -> Tensor:
        return torch.from_numpy(rng.integers(recipe.lowest_timestep, timesteps, size=count))

    loss = StepLoss(
        models, clips, recipe, variant, seed, adapter, prediction, evenly, weight=lambda clean, scenes: 1.0
    )
    return fit(adapter, loss)


def fit(adapter: Module, loss: StepLoss) -> Trained[Module]:
    """The start from words, where the variant has it, then the steps on the loss."""
    models, recipe, variant = loss.models, loss.recipe, loss.variant
    began = models.clock()
    adapter.to(models.backbone.device).train()
    if variant.start == "words":
        fit_to_words(models, loss.clips, recipe, variant, loss.mapper, loss.seed)
    steps, started = round(recipe.steps * variant.share), models.clock()
    minimize(adapter, loss, learning_rate(recipe.learning_rate), steps=steps)
    ended = models.clock()
    return Trained(adapter.eval(), ended - began, (ended - started) / max(1, steps))


def crop(spec: BackboneSpec, start: int, frames: int) -> slice:
    """The part of a clip that is looked at; all of it where a latent frame stands for several."""
    return slice(start, start + frames) if spec.time == 1 else slice(None)


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
        tokens = adapter.map_features(features[rows[chosen]], times, clips.num_frames, FPS)
        fitted = tokens[:, : clips.num_frames]
        return {"loss": nn.functional.mse_loss(fitted, targets[chosen]) / targets.var()}

    minimize(adapter, loss, learning_rate(recipe.start_learning_rate), steps=recipe.start_steps)


def learning_rate(peak: float) -> LearningRate:
    """Cosine over all steps down to a hundredth, times a short linear warm-up."""
    return LearningRate(peak, "cosine", warm_up_steps=WARM_UP, final_share=0.01, cosine_start=0)
