"""Sounds and models whose takes differ, and what is true of a take.

Legend: F frames, H W height and width in pixels, N audio samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from a2v_core.audio import Waveform
from a2v_core.metrics import detect_motion, hear_sound, score_peaks, trusted_score
from a2v_core.metrics.takes import take_score
from training.demo_world.demo import Demo, DemoModels
from training.demo_world.evaluate import PROMPT
from training.demo_world.held_out import held_out, visible_events
from training.demo_world.recognise import EventCounts, recognise
from training.demo_world.recorded import find_instruments, read_list, recorded_clip
from training.demo_world.sounds import SAMPLE_RATE
from training.demo_world.wan import WanDemo
from training.demo_world.world import FPS, Scene

DRUMS = Path("training/demo_world/recordings/drums.txt")

Clip = tuple[Scene, np.ndarray]


class TakeSet(NamedTuple):
    """models: loads what makes the takes; clip: scene and sound [N] by number; one_object: whether there is
    one object to be recognised."""

    models: Callable[[], DemoModels]
    clip: Callable[[int], Clip]
    one_object: bool = True


def sets_of(recordings: Path | None) -> dict[str, TakeSet]:
    """The sets by name; that of recorded drums needs the folder of the recordings (docs/demo_world.md)."""
    found = {
        "five steps": TakeSet(lambda: Demo(steps=5), held_out),
        "two objects": TakeSet(Demo, lambda number: held_out(number, "two"), one_object=False),
        "tiny Wan": TakeSet(WanDemo, held_out),
    }
    if recordings is not None:
        drums = find_instruments(recordings, read_list(DRUMS))
        found["recorded drums"] = TakeSet(Demo, lambda number: recorded_clip(drums, number)[1:])
    return found


def take_record(one_object: bool, frames: torch.Tensor, clip: Clip) -> dict[str, Any]:
    """A take [F, H, W, 3]: what is true of it, what picks, and a number that does not.

    f1         of the leaps in the picture against the true hits, within a frame
    object     whether it is the sound's object in its colour; None for two objects
    take       its `TakeScore`
    reference  AV-Align as published
    """
    scene, sound = clip
    motion = detect_motion(frames, FPS)
    heard = hear_sound(Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE))
    trusted = trusted_score(motion, heard)
    if one_object:
        seen = recognise(frames.numpy())
        leaps, right = seen.leaps, (seen.shape, seen.colour) == (scene.shape, scene.colour)
    else:
        # The motion between two frames belongs to the later one.
        leaps, right = tuple(round(time * FPS + 0.5) for time in trusted.video_peaks), None
    return {
        "f1": EventCounts().add(leaps, visible_events(scene)),
        "object": right,
        "take": asdict(take_score(trusted)),
        "reference": score_peaks(motion, heard.onsets, heard.seconds).score,
    }


def make_takes(models: DemoModels, one: TakeSet, number: int, count: int) -> list[dict[str, Any]]:
    """Records of `count` takes of a clip, with seeds of their own."""
    scene, sound = one.clip(number)
    return [
        take_record(
            one.one_object,
            models.video(PROMPT, sound, scene.num_frames, 1000 * take + number),
            (scene, sound),
        )
        for take in range(count)
    ]
