"""The test sets of the demo world: scenes and sounds from seeds that no training uses.

plain       one object, 2 s, at least one hit, sound from digital silence: the main set
noise       the same with a noise floor
long        the same, 8 s
silence     a sound without a hit: nothing should move
two         two objects in the picture that are hit in turns and sometimes together
off_screen  an object in the picture, and another that is only heard: its hits move nothing
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .sounds import render_sound
from .world import FPS, NUM_FRAMES, SHAPES, SIDES, Actor, Hit, Scene, random_scene

NOISE_FLOOR = 0.004  # standard deviation, 48 dB below full scale
LONG_FRAMES = 96
TOGETHER = 0.2  # share of the hits in `two` that both objects have
_SEED = 99


def held_out(number: int, name: str = "plain") -> tuple[Scene, np.ndarray]:
    """Scene and sound, float32 [N] at `sounds.SAMPLE_RATE`, number `number` of the test set `name`."""
    rng = np.random.default_rng([_SEED, number])
    scene = SETS[name](rng)
    return scene, render_sound(scene, rng, NOISE_FLOOR if name == "noise" else 0.0)


def sounding_scene(rng: np.random.Generator, num_frames: int = NUM_FRAMES) -> Scene:
    """A random scene with at least one hit."""
    while True:
        scene = random_scene(rng, num_frames=num_frames)
        if scene.hits:
            return scene


def two_objects(rng: np.random.Generator, num_frames: int = NUM_FRAMES) -> Scene:
    """One rhythm shared by two objects, left and right: each hit belongs to one of them, or to both."""
    scene = replace(sounding_scene(rng, num_frames), side="left")
    other = _another(rng, scene, "right", visible=True)
    turns = rng.random(len(scene.hits))
    own = tuple(hit for hit, turn in zip(scene.hits, turns, strict=True) if turn < 0.5 + TOGETHER / 2)
    rest = tuple(hit for hit, turn in zip(scene.hits, turns, strict=True) if turn >= 0.5 - TOGETHER / 2)
    return replace(scene, hits=own, others=(replace(other, hits=rest),))


def off_screen(rng: np.random.Generator, num_frames: int = NUM_FRAMES) -> Scene:
    """One rhythm shared by an object in the picture and one off screen."""
    scene = sounding_scene(rng, num_frames)
    other = _another(rng, scene, scene.side, visible=False)
    on_screen = rng.random(len(scene.hits)) < 0.5
    own = tuple(hit for hit, visible in zip(scene.hits, on_screen, strict=True) if visible)
    unseen = tuple(hit for hit, visible in zip(scene.hits, on_screen, strict=True) if not visible)
    return replace(scene, hits=own, others=(replace(other, hits=unseen),))


def visible_events(scene: Scene) -> list[int]:
    """Frames in which something in the picture is hit, ascending, each once."""
    hits: list[Hit] = [*scene.hits, *(hit for actor in scene.others if actor.visible for hit in actor.hits)]
    return sorted({round(hit.time * FPS) for hit in hits})


def _another(rng: np.random.Generator, scene: Scene, side: str, visible: bool) -> Actor:
    assert side in SIDES
    shape = str(rng.choice([shape for shape in SHAPES if shape != scene.shape]))
    return Actor(shape, SHAPES[shape], side, visible=visible)


SETS: dict[str, Callable[[np.random.Generator], Scene]] = {
    "plain": sounding_scene,
    "noise": sounding_scene,
    "long": lambda rng: sounding_scene(rng, LONG_FRAMES),
    "silence": lambda rng: replace(random_scene(rng), hits=()),
    "two": two_objects,
    "off_screen": off_screen,
}
