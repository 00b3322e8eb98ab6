"""Scores the demo models on sounds that the training never saw: `python -m training.demo_world.evaluate
[--clips N]`.

For each held-out scene the sound alone drives the bundled models through the library's own path; the video
is then compared with its sound (AV-Align), with its sound shifted in time, with the sounds of other clips,
and with the scene's true events. The ground-truth video is scored in the same way, as the ceiling.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from a2v_core.audio import Waveform, encode_audio, load_beats
from a2v_core.demo import demo_path
from a2v_core.metrics import AVAlignResult, av_align, shifted_chance
from a2v_core.tokens import load_mapper
from a2v_core.video import SampleSettings, load_t2v, sample

from .mapper import HOP_DIVISOR, WORDS
from .sounds import SAMPLE_RATE, render_sound
from .world import COLOURS, FPS, NUM_FRAMES, SHAPES, SIDES, WALLS, Scene, random_scene, render, render_heights

PROMPT = f"a video of {WORDS}"
TEXT_PROMPT = "a video of a {colour} {shape} bouncing"


@dataclass(frozen=True)
class Seen:
    """What a small look at the pixels finds: the object's colour and shape, and the frames in which it
    leaps.
    """

    colour: str
    shape: str
    leaps: tuple[int, ...]


def look(frames: np.ndarray) -> Seen:
    """Compares a video [F, H, W, 3] in 0..1 with every picture that the world can show and takes the
    nearest.
    """
    table, looks, levels = _pictures()
    flat = _small(frames)
    distance = (flat**2).sum(1)[:, None] - 2 * flat @ table.T + (table**2).sum(1)[None]
    per_look = distance.reshape(len(frames), len(looks), len(levels)).min(2).sum(0)
    best = int(per_look.argmin())
    chosen = distance.reshape(len(frames), len(looks), len(levels))[:, best].argmin(1)
    height = levels[chosen]
    rise = np.diff(height, prepend=height[:1])
    leaps = tuple(int(frame) for frame in np.flatnonzero(rise > 0.3))
    return Seen(looks[best].colour, looks[best].shape, leaps)


def _small(frames: np.ndarray) -> np.ndarray:
    """Frames [F, H, W, 3] at half the size, flattened to float32 [F, H/2*W/2*3]."""
    quads = frames.reshape(len(frames), frames.shape[1] // 2, 2, frames.shape[2] // 2, 2, 3)
    return quads.mean((2, 4)).reshape(len(frames), -1).astype(np.float32)


@cache
def _pictures() -> tuple[np.ndarray, list[Scene], np.ndarray]:
    """All pictures of the world as rows, made once: (table [looks * heights, pixels], looks, heights)."""
    levels = np.linspace(0.0, 1.0, 9)
    looks = [Scene(s, c, w, x) for s in SHAPES for c in COLOURS for w in WALLS for x in SIDES]
    rows = np.concatenate([_small(render_heights(look, levels)) for look in looks])
    return rows, looks, levels


def matched(found: Sequence[int], true: Sequence[int], tolerance: int = 1) -> int:
    """How many true event frames have a found one within `tolerance` frames, one to one."""
    left = list(found)
    count = 0
    for frame in true:
        near = [other for other in left if abs(other - frame) <= tolerance]
        if near:
            left.remove(min(near, key=lambda other: abs(other - frame)))
            count += 1
    return count


class Demo:
    """The bundled models, loaded once."""

    def __init__(self, steps: int = 20, guidance_scale: float = 4.0) -> None:
        self.beats = load_beats(demo_path("beats"))
        self.mapper = load_mapper(demo_path("mapper"))
        self.backbone = load_t2v(demo_path("t2v"), "fp32")
        self.steps, self.guidance_scale = steps, guidance_scale

    @torch.no_grad()
    def video(self, prompt: str, sound: np.ndarray | None, num_frames: int, seed: int) -> Tensor:
        """Frames [F, H, W, 3]; `sound` [N] at `SAMPLE_RATE`, or None for text alone."""
        tokens = None
        if sound is not None:
            features = encode_audio(self.beats, torch.from_numpy(sound)[None, None], SAMPLE_RATE, HOP_DIVISOR)
            tokens = self.mapper.pool(self.mapper.frame_tokens(features, num_frames, FPS))
        positive = self.backbone.encode_prompt(prompt, tokens, num_frames)
        negative = self.backbone.encode_prompt("", None, num_frames)
        settings = SampleSettings(
            steps=self.steps,
            guidance_scale=self.guidance_scale,
            scheduler="dpmpp_2m",
            seed=seed,
            width=64,
            height=64,
            num_frames=num_frames,
        )
        latents = sample(self.backbone, positive, negative, settings)
        return self.backbone.decode(latents[0].movedim(1, 0), 24)


def held_out(number: int) -> tuple[Scene, np.ndarray]:
    """Scene and sound number `number` of the test set, from seeds that no training uses."""
    rng = np.random.default_rng([99, number])
    scene = random_scene(rng, num_frames=NUM_FRAMES)
    while not scene.hits:
        scene = random_scene(rng, num_frames=NUM_FRAMES)
    return scene, render_sound(scene, rng)


def score(frames: Tensor | np.ndarray, sound: np.ndarray) -> AVAlignResult:
    """AV-Align `reference` of frames and a sound at `SAMPLE_RATE`."""
    return av_align(torch.as_tensor(frames), FPS, Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE))


def evaluate(
    clips: int, text_only: bool = True, steps: int = 20, guidance_scale: float = 4.0
) -> dict[str, float]:
    """The numbers of the module docstring as means over `clips` held-out sounds."""
    demo = Demo(steps, guidance_scale)
    rows: dict[str, list[float]] = {}
    right = hits = found = true = ceiling_hits = ceiling_found = 0
    sounds = [held_out(number) for number in range(clips)]

    def add(key: str, value: float | None) -> None:
        if value is not None:
            rows.setdefault(key, []).append(value)

    for number, (scene, sound) in enumerate(sounds):
        frames = demo.video(PROMPT, sound, scene.num_frames, seed=number)
        result = score(frames, sound)
        add("av_align", result.score)
        add("chance", shifted_chance(result))
        add("other_sounds_av_align", score(frames, sounds[(number + 1) % clips][1]).score)
        truth = render(scene)
        add("ground_truth_av_align", score(truth, sound).score)
        if text_only:
            text = TEXT_PROMPT.format(colour=scene.colour, shape=scene.shape)
            add(
                "text_only_av_align",
                score(demo.video(text, None, scene.num_frames, seed=number), sound).score,
            )
        events = [round(hit.time * FPS) for hit in scene.hits]
        seen, ideal = look(frames.numpy()), look(truth)
        right += (seen.colour, seen.shape) == (scene.colour, scene.shape)
        hits, found, true = hits + matched(seen.leaps, events), found + len(seen.leaps), true + len(events)
        ceiling_hits, ceiling_found = (
            ceiling_hits + matched(ideal.leaps, events),
            ceiling_found + len(ideal.leaps),
        )
    means = {key: float(np.mean(values)) for key, values in rows.items()}
    return {
        "clips": clips,
        **means,
        "object_accuracy": right / clips,
        "event_recall": hits / max(1, true),
        "event_precision": hits / max(1, found),
        "ground_truth_event_recall": ceiling_hits / max(1, true),
        "ground_truth_event_precision": ceiling_hits / max(1, ceiling_found),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.demo_world.evaluate", description=__doc__)
    parser.add_argument("--clips", type=int, default=50)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--cfg", type=float, default=4.0)
    parser.add_argument(
        "--no-text-only", action="store_true", help="leave out the videos made from text alone"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    numbers = evaluate(arguments.clips, not arguments.no_text_only, arguments.steps, arguments.cfg)
    if arguments.json:
        print(json.dumps(numbers))
        return
    for key, value in numbers.items():
        print(f"{key:32s} {value:.3f}")


if __name__ == "__main__":
    main()
