"""Sets of true clips of the demo world, rendered at any frame rate, and what may be done to their pictures.

Legend: F frames, H W height and width in pixels, N audio samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from training.demo_world.held_out import NOISE_FLOOR, off_screen, sounding_scene, two_objects
from training.demo_world.sounds import render_sound
from training.demo_world.world import FPS, Scene, render

SECONDS = 4.0
FIRST_SEED = 7000  # the settings of the trusted score were chosen on other ones
STEP_PIXELS = 1.0  # of a shaking camera, in 1/12 s: its place is a random walk
PICTURE_NOISE = 0.03  # standard deviation, of 0..1

Floats = np.ndarray[Any, np.dtype[Any]]


class TrueSet(NamedTuple):
    """make: a scene of so many frames at 12 fps. noise: of the sound. shaking: camera and picture noise."""

    make: Callable[[np.random.Generator, int], Scene]
    noise: float = 0.0
    shaking: bool = False


def seen_and_heard(rng: np.random.Generator, num_frames: int) -> Scene:
    """See `off_screen`, with at least one hit that is seen."""
    while not (scene := off_screen(rng, num_frames)).hits:
        pass
    return scene


SETS: Mapping[str, TrueSet] = {
    "plain": TrueSet(sounding_scene),
    "noise floor": TrueSet(sounding_scene, NOISE_FLOOR),
    "two objects": TrueSet(two_objects),
    "heard off screen": TrueSet(seen_and_heard, NOISE_FLOOR),
    "shaking camera": TrueSet(sounding_scene, NOISE_FLOOR, shaking=True),
}


def clip(name: str, number: int, fps: float) -> tuple[Floats, Floats]:
    """Frames float32 [F, H, W, 3] in 0..1 and sound [N] of clip `number` of a set."""
    kind = SETS[name]
    rng = np.random.default_rng([FIRST_SEED, number])
    scene = kind.make(rng, round(SECONDS * FPS))
    sound = render_sound(scene, rng, kind.noise)
    frames = render(scene, fps)
    if kind.shaking:
        frames = shaken(frames, rng, fps)
    return frames, sound


def shaken(frames: Floats, rng: np.random.Generator, fps: float) -> Floats:
    """Frames [F, H, W, 3] of a camera whose place is a random walk, with noise in every picture."""
    steps = rng.normal(0, STEP_PIXELS * np.sqrt(FPS / fps), (len(frames), 2))
    places = steps.cumsum(axis=0).round().astype(int)
    moved = np.stack([np.roll(frame, place, (0, 1)) for frame, place in zip(frames, places, strict=True)])
    noisy: Floats = np.clip(moved + rng.normal(0, PICTURE_NOISE, moved.shape), 0, 1).astype(np.float32)
    return noisy
