"""Sound-driven prompt travel, without an adapter: `python -m training.demo_world.prompt_travel [--clips N]`.

The bundled text-to-video model makes each held-out sound's video from two texts alone, one of the object at
rest and one of it at the top of a leap. The sound's onsets blend them frame by frame, as Sound Schedule and
Scheduled Prompt do; nothing that was trained on sound takes part. The texts name the scene's object, so what
is scored is when it moves.

Legend: F video frames, L text positions, C text width.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2v_core.audio import Waveform
from a2v_core.backbones import load_t2v
from a2v_core.demo import SIZE, demo_path
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.prompts import FrameContext, blend_by_frame
from a2v_core.sampling import SampleSettings
from a2v_core.schedules import DEFAULT_SCHEDULER
from a2v_core.signals import ONSET, Shape, sound_schedule

from .evaluate import score
from .held_out import SETS, held_out, visible_events
from .recognise import EventCounts, recognise
from .sounds import SAMPLE_RATE
from .world import FPS, LEVELS, SINK, Scene

TEXT = "a video of a {colour} {shape} {level}"
# The object sinks to `SINK` of its height in a frame: so many seconds make a thousandth of it.
RELEASE = math.log(1e-3) / math.log(SINK) / FPS


class PromptTravel:
    """The bundled UNet3D, its texts blended by a schedule."""

    def __init__(self, steps: int, guidance_scale: float) -> None:
        self.pipeline = VideoPipeline(load_t2v(demo_path("t2v"), "fp32"))
        self.steps, self.guidance_scale = steps, guidance_scale

    @torch.no_grad()
    def video(self, scene: Scene, weights: Tensor, seed: int) -> Tensor:
        """Frames [F, H, W, 3] of a scene's object at the height that `weights` [F] says."""
        low, high = (self._request(scene, level, len(weights), seed) for level in (LEVELS[0], LEVELS[-1]))
        contexts = self.pipeline.encode(low)
        top = self.pipeline.encode(high).prompt.states
        states = blend_by_frame(contexts.prompt.states, top, weights)
        rows = FrameContext(states, torch.arange(len(weights)))
        latents = self.pipeline.sample(low, contexts._replace(prompt=rows))
        return self.pipeline.decode_all(low, latents)

    def _request(self, scene: Scene, level: str, frames: int, seed: int) -> VideoRequest:
        settings = SampleSettings(
            self.steps, self.guidance_scale, DEFAULT_SCHEDULER, seed, SIZE, SIZE, num_frames=frames
        )
        text = TEXT.format(colour=scene.colour, shape=scene.shape, level=level)
        return VideoRequest(text, settings=settings, long=None)


def weights_of(sound: np.ndarray, frames: int) -> Tensor:
    """The schedule of a sound [N] at `SAMPLE_RATE`: its onsets, sinking as the world's objects do; [F]."""
    waveform = Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE)
    schedule = sound_schedule(waveform, ONSET, FPS, frames, Shape(release=RELEASE))
    return torch.tensor(schedule.floats())


def evaluate(clips: int, name: str = "plain", steps: int = 20, guidance_scale: float = 3.0) -> dict[str, Any]:
    """Over `clips` held-out sounds of a set of `held_out.SETS`:

    av_align        published variant, of the video and its sound
    chance          of the same videos with their sounds shifted in time, mean over all shifts
    other_sounds_av_align   of the same videos with the sounds of other clips
    object_accuracy         share of videos that show the object of the text in its colour
    event_recall, event_precision   leaps against true events, within one frame
    """
    travel = PromptTravel(steps, guidance_scale)
    scores: dict[str, list[float]] = {}
    events, right = EventCounts(), 0
    sounds = [held_out(number, name) for number in range(clips)]

    def add(key: str, value: float | None) -> None:
        scores.setdefault(key, [])
        if value is not None:
            scores[key].append(value)

    for number, (scene, sound) in enumerate(sounds):
        weights = weights_of(sound, scene.num_frames)
        frames = travel.video(scene, weights, number)
        result = score(frames, sound)
        add("av_align", result.score)
        add("chance", result.chance)
        add("other_sounds_av_align", score(frames, sounds[(number + 1) % clips][1]).score)
        seen = recognise(frames.numpy())
        right += (seen.colour, seen.shape) == (scene.colour, scene.shape)
        events.add(seen.leaps, visible_events(scene))
        print(f"{number + 1} of {clips}: AV-Align {result.score}", file=sys.stderr, flush=True)
    means = {key: float(np.mean(values)) if values else None for key, values in scores.items()}
    shown = {
        "object_accuracy": right / clips,
        "event_recall": events.recall,
        "event_precision": events.precision,
    }
    return {"set": name, "clips": clips, **means, **shown}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.demo_world.prompt_travel",
        description="Scores prompts that a sound blends frame by frame, without an adapter.",
    )
    parser.add_argument("--clips", type=int, default=100, help="number of held-out sounds")
    parser.add_argument("--set", choices=SETS, default="plain", help="test set")
    parser.add_argument("--steps", type=int, default=20, help="sampling steps")
    parser.add_argument("--cfg", type=float, default=3.0, help="guidance scale")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    arguments = parser.parse_args()
    if arguments.clips < 1:
        parser.error("--clips must be 1 or more")
    numbers = evaluate(arguments.clips, arguments.set, arguments.steps, arguments.cfg)
    if arguments.json:
        print(json.dumps(numbers))
        return
    for key, value in numbers.items():
        print(f"{key:24s} {f'{value:.3f}' if isinstance(value, float) else '-' if value is None else value}")


if __name__ == "__main__":
    main()
