"""Scores the demo models on held-out sounds: `python -m training.demo_world.evaluate
[--clips N] [--set NAME]`.

For each held-out scene the bundled models generate a video from the sound alone; it is compared with its
sound (AV-Align), with its sound shifted in time, with the sounds of other clips, and with the true events.
The ground-truth video is scored in the same way, as the upper bound. Two more videos of each scene are made:
from text alone, and from the sound with a text that asks for another colour.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2v_core.audio import Waveform
from a2v_core.metrics import AVAlignResult, av_align
from a2v_core.sampling import SPEEDS

from .demo import Demo, DemoModels
from .held_out import SETS, held_out, visible_events
from .mapper import WORDS
from .recognise import EventCounts, Recognition, recognise
from .recorded import CHECK_LIST, find_instruments, read_list, score_recorded
from .sounds import SAMPLE_RATE
from .wan import WanDemo
from .world import COLOURS, FPS, Scene, render

PROMPT = f"a video of {WORDS}"
TEXT_PROMPT = "a video of a {colour} {shape} bouncing"
MIXED_PROMPT = f"a video of a {{colour}} {WORDS}"
MIN_F1 = 2 / 3  # of the events, for a video to follow its sound


# The bundled text-to-video models, by the names of their families.
BASES: dict[str, Callable[[int, float | None, str | None], DemoModels]] = {"unet3d": Demo, "wan": WanDemo}


def score(frames: Tensor | np.ndarray, sound: np.ndarray) -> AVAlignResult:
    """AV-Align `reference` of frames and a sound at `SAMPLE_RATE`."""
    return av_align(torch.as_tensor(frames), FPS, Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE))


def evaluate(
    clips: int,
    audio_only: bool = False,
    steps: int = 20,
    guidance_scale: float | None = None,
    name: str = "plain",
    speed: str | None = None,
    base: str = "unet3d",
) -> dict[str, Any]:
    """The numbers of the module docstring for a model of `BASES`, over `clips` held-out sounds of a test set
    of `held_out.SETS`.

    av_align               published variant, of the video made from the sound
    chance                 of the same videos with their sounds shifted in time, mean over all shifts
    other_sounds_av_align  of the same videos with the sounds of other clips
    text_only_av_align     of videos made from text alone, with the sounds
    ground_truth_...       of the ground-truth videos: the upper bound
    object_accuracy        share of videos that show the sound's object in its own colour
    event_recall, event_precision   leaps against true events, within one frame
    text_audio_agreement   share of the videos made with sound and text that have the text's colour and leap
                           with the sound (F1 of the events at least 2/3)
    still                  share of videos in which nothing leaps

    None where undefined for a set: AV-Align of silence, and recognition with two objects.
    """
    demo = BASES[base](steps, guidance_scale, speed)
    scores: dict[str, list[float]] = {}
    correct = still = followed = 0
    events, ceiling = EventCounts(), EventCounts()
    sounds = [held_out(number, name) for number in range(clips)]

    def add(key: str, value: float | None) -> None:
        scores.setdefault(key, [])
        if value is not None:
            scores[key].append(value)

    for number, (scene, sound) in enumerate(sounds):
        frames = demo.video(PROMPT, sound, scene.num_frames, seed=number)
        result = score(frames, sound)
        add("av_align", result.score)
        add("chance", result.chance)
        add("other_sounds_av_align", score(frames, sounds[(number + 1) % clips][1]).score)
        truth, true = render(scene), visible_events(scene)
        add("ground_truth_av_align", score(truth, sound).score)
        recognised = recognise(frames.numpy())
        correct += (recognised.colour, recognised.shape) == (scene.colour, scene.shape)
        still += not recognised.leaps
        events.add(recognised.leaps, true)
        ceiling.add(recognise(truth).leaps, true)
        if not audio_only:
            text = TEXT_PROMPT.format(colour=scene.colour, shape=scene.shape)
            alone = demo.video(text, None, scene.num_frames, seed=number)
            add("text_only_av_align", score(alone, sound).score)
            colour = other_colour(scene, number)
            mixed = demo.video(MIXED_PROMPT.format(colour=colour), sound, scene.num_frames, seed=number)
            followed += follows_text_and_sound(recognise(mixed.numpy()), colour, true)
    single_object = name != "two"
    made = {} if audio_only else {"text_audio_agreement": followed / clips if single_object else None}
    return {
        "set": name,
        "clips": clips,
        **{key: _mean(values) for key, values in scores.items()},
        "object_accuracy": correct / clips if single_object else None,
        "event_recall": events.recall if single_object else None,
        "event_precision": events.precision if single_object else None,
        "still": still / clips if single_object else None,
        **made,
        "ground_truth_event_recall": ceiling.recall if single_object else None,
        "ground_truth_event_precision": ceiling.precision if single_object else None,
    }


def other_colour(scene: Scene, number: int) -> str:
    """A colour that is not the object's own."""
    rng = np.random.default_rng([98, number])
    return str(rng.choice([colour for colour in COLOURS if colour != scene.colour]))


def follows_text_and_sound(recognised: Recognition, colour: str, true: list[int]) -> bool:
    """Whether a video has the colour of its text and the events of its sound."""
    return recognised.colour == colour and EventCounts().add(recognised.leaps, true) >= MIN_F1


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return float(np.mean(known)) if known else None


def score_world(arguments: argparse.Namespace) -> dict[str, Any]:
    """`evaluate` with the command line's options."""
    return evaluate(
        arguments.clips,
        arguments.audio_only,
        arguments.steps,
        arguments.cfg,
        arguments.set,
        arguments.speed,
        arguments.base,
    )


def score_recordings(arguments: argparse.Namespace) -> dict[str, Any]:
    """`score_recorded` with the command line's options."""
    demo = BASES[arguments.base](arguments.steps, arguments.cfg, arguments.speed)
    instruments = find_instruments(arguments.recorded, read_list(arguments.list))

    def video(sound: np.ndarray, num_frames: int, seed: int) -> Tensor:
        return demo.video(PROMPT, sound, num_frames, seed)

    return score_recorded(video, instruments, arguments.clips)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.demo_world.evaluate",
        description="Scores the demo models on sounds that the training never saw.",
    )
    parser.add_argument("--clips", type=int, default=50, help="number of held-out sounds")
    parser.add_argument("--base", choices=BASES, default="unet3d", help="which of the bundled models")
    parser.add_argument(
        "--set", choices=SETS, default="plain", help="test set (training/demo_world/held_out.py)"
    )
    parser.add_argument("--steps", type=int, default=20, help="sampling steps")
    parser.add_argument("--cfg", type=float, help="guidance scale; default: 3 for unet3d, 5 for wan")
    parser.add_argument(
        "--speed",
        choices=tuple(SPEEDS),
        help="of the T2V Sampler; default: exact for unet3d, guidance_interval for wan",
    )
    parser.add_argument("--audio-only", action="store_true", help="leave out the videos made with text")
    parser.add_argument(
        "--recorded",
        type=Path,
        metavar="FOLDER",
        help="score recorded sounds instead (training/demo_world/recorded.py)",
    )
    parser.add_argument(
        "--list", type=Path, default=CHECK_LIST, help="with --recorded: which instruments there are"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    arguments = parser.parse_args()
    numbers = score_recordings(arguments) if arguments.recorded else score_world(arguments)
    if arguments.json:
        print(json.dumps(numbers))
        return
    for key, value in numbers.items():
        print(f"{key:32s} {f'{value:.3f}' if isinstance(value, float) else '-' if value is None else value}")


if __name__ == "__main__":
    main()
