"""Scores an adapter on held-out sounds: AV-Align, events, object accuracy, validation loss.

Legend: B clips, F frames, D token width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.sampling import SampleSettings
from a2v_core.tokens import AudioTokens, in_prompt

from ..demo_world.evaluate import score
from ..demo_world.held_out import visible_events
from ..demo_world.recognise import EventCounts, recognise
from ..demo_world.world import FPS, SIZE, Scene, render
from .adapter import Adapter
from .caches import Clips, Models
from .settings import Recipe, Test, Variant
from .train import crop

VALIDATION_SEED = 31


def measure(
    models: Models,
    clips: Clips,
    recipe: Recipe,
    variant: Variant,
    test: Test,
    adapter: Adapter | None,
    seed: int,
) -> dict[str, Any]:
    """Metrics of one row and seed; `adapter` None: text alone. Those of `score_videos`, and

    validation_loss   noise-prediction error on the test clips, always the same noise
    """
    words = {} if adapter is None else words_of(clips, variant, adapter)
    prompts = [prompt_for(scene, variant.words, test) for scene, _ in clips.items]

    def video(number: int) -> Tensor:
        settings = SampleSettings(
            recipe.sampling_steps,
            recipe.guidance_scale,
            "dpmpp_2m",
            1000 * seed + number,
            SIZE,
            SIZE,
            clips.num_frames,
        )
        return draw_video(models, settings, prompts[number], of_clip(words, number))

    scores = score_videos(clips, video)
    return scores | {"validation_loss": validation_loss(models, clips, recipe, prompts, words)}


def score_videos(clips: Clips, video: Callable[[int], Tensor]) -> dict[str, Any]:
    """Metrics of videos [F, H, W, 3] of the clips, by number.

    av_align, chance  per clip, None where undefined: the published variant, and its mean over all time
                      shifts of the sound
    event_recall, event_precision  leaps within one frame of true events, over all clips
    object_accuracy   share of videos that show the sound's object in its own colour
    """
    aligned: list[float | None] = []
    chance: list[float | None] = []
    events, correct = EventCounts(), 0
    for number, (scene, sound) in enumerate(clips.items):
        frames = video(number)
        result = score(frames, sound)
        aligned.append(result.score)
        chance.append(result.chance)
        recognised = recognise(frames.numpy())
        events.add(recognised.leaps, visible_events(scene))
        correct += (recognised.colour, recognised.shape) == (scene.colour, scene.shape)
    return {
        "av_align": aligned,
        "chance": chance,
        "event_recall": events.recall or 0.0,
        "event_precision": events.precision,
        "object_accuracy": correct / len(clips),
    }


def ceiling(clips: Clips) -> list[float | None]:
    """AV-Align of the ground-truth videos, per clip: the upper bound."""
    return [score(render(scene), sound).score for scene, sound in clips.items]


def prompt_for(scene: Scene, words: tuple[str, ...], test: Test) -> str:
    """The prompt of a test."""
    text = f"a {scene.colour} {scene.shape}"
    audio = in_prompt(words)
    return {
        "audio": f"a video of {audio}",
        "text": f"a video of {text} bouncing",
        "text_audio": f"a video of {text} {audio}",
    }[test.prompt]


@torch.no_grad()
def validation_loss(
    models: Models, clips: Clips, recipe: Recipe, prompts: list[str], words: dict[str, Tensor]
) -> float:
    """Mean squared error of the predicted noise in the middle of every clip, at evenly spaced timesteps."""
    prediction = models.prediction_error()
    rng = np.random.default_rng(VALIDATION_SEED)
    steps = np.linspace(recipe.lowest_timestep, prediction.schedule.train_timesteps - 1, len(clips)).round()
    t = torch.from_numpy(rng.permutation(steps)).long()
    piece = crop(models.backbone.spec, (clips.num_frames - recipe.frames) // 2, recipe.frames)
    clean = clips.latents[:, :, piece]
    noise = torch.from_numpy(rng.standard_normal(clean.shape, dtype=np.float32)).to(clean.device)
    tokens = words or {"temp": torch.zeros(len(clips), clips.num_frames, models.backbone.spec.word_width)}
    total = 0.0
    for rows in torch.arange(len(clips)).split(recipe.batch):
        batch = {word: value[rows][:, piece] for word, value in tokens.items()}
        context = models.context([prompts[int(row)] for row in rows], batch)
        total += len(rows) * float(prediction.squared(clean[rows], noise[rows], t[rows], context).mean())
    return total / len(clips)


@torch.no_grad()
def words_of(clips: Clips, variant: Variant, mapper: Adapter) -> dict[str, Tensor]:
    """Tokens [B, F, D] of every audio word for all clips."""
    features, times = clips.audio_features(variant.layout, variant.hop_ms)
    words = mapper.pool_words(mapper.map_features(features, times, clips.num_frames, FPS))
    return {word: value[:, : clips.num_frames] for word, value in words.items()}


def of_clip(words: Mapping[str, Tensor], number: int) -> AudioTokens | None:
    """The tokens of one clip; None without words."""
    return AudioTokens({word: value[number] for word, value in words.items()}, FPS) if words else None


def draw_video(models: Models, settings: SampleSettings, prompt: str, tokens: AudioTokens | None) -> Tensor:
    """Frames [F, H, W, 3] from a prompt and its tokens, through `VideoPipeline`."""
    request = VideoRequest(prompt, tokens, settings=settings, long=None, decode_chunk=settings.num_frames)
    return VideoPipeline(models.backbone).generate(request).frames
