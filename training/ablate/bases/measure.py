"""Scores an adapter of a base model on held-out sounds: from the sound alone, and with a text beside it.

Legend: F frames, D token width.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from a2v_core.sampling import SampleSettings

from ...demo_world.evaluate import MIXED_PROMPT, PROMPT, follows_text_and_sound, other_colour
from ...demo_world.held_out import visible_events
from ...demo_world.recognise import recognise
from ...demo_world.world import SIZE
from ..caches import Clips, Models
from ..measure import draw_video, of_clip, score_videos, validation_loss, words_of
from .models import KINDS
from .settings import BaseRecipe, BaseTest, BaseVariant
from .train import BaseAdapter, use


def measure(
    models: Models,
    clips: Clips,
    recipe: BaseRecipe,
    variant: BaseVariant,
    test: BaseTest,
    adapter: BaseAdapter,
    seed: int,
) -> dict[str, Any]:
    """Metrics of one row and seed. Those of `score_videos`, and

    text_kept        share of videos from the sound and a text of another colour that follow both
    validation_loss  prediction error on the test clips, always the same noise: compare it within a base
    video_seconds    of a video of the sound alone, processor time on a CPU
    """
    words = words_of(clips, variant, use(models.backbone, adapter))
    spent = 0.0

    def video(number: int, prompt: str) -> Tensor:
        settings = settings_of(recipe, variant, test, 1000 * seed + number, clips.num_frames)
        return draw_video(models, settings, prompt, of_clip(words, number))

    def timed(number: int) -> Tensor:
        nonlocal spent
        began = models.clock()
        frames = video(number, PROMPT)
        spent += models.clock() - began
        return frames

    scores = score_videos(clips, timed)
    kept = 0
    for number, (scene, _) in enumerate(clips.items):
        colour = other_colour(scene, number)
        seen = recognise(video(number, MIXED_PROMPT.format(colour=colour)).numpy())
        kept += follows_text_and_sound(seen, colour, visible_events(scene))
    return scores | {
        "text_kept": kept / len(clips),
        "validation_loss": validation_loss(models, clips, recipe, [PROMPT] * len(clips), words),
        "video_seconds": round(spent / len(clips), 3),
    }


def settings_of(
    recipe: BaseRecipe, variant: BaseVariant, test: BaseTest, seed: int, num_frames: int
) -> SampleSettings:
    """How a video of a row is sampled."""
    return SampleSettings(
        recipe.sampling_steps,
        recipe.guidance_scale,
        KINDS[variant.base].solver,
        seed,
        SIZE,
        SIZE,
        num_frames,
        test.speed,
        test.sound_guidance,
    )
