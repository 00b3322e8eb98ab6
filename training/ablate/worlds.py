"""Training and test clips for generalisation across rhythms and timbres.

A timbre is a playback speed of every sound: 1 is the demo world's own; other speeds give pitches and lengths
that a training at speed 1 has not seen.

Legend: N samples.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from ..demo_world.sounds import SAMPLE_RATE, render_sound
from ..demo_world.world import (
    COLOURS,
    FPS,
    NUM_FRAMES,
    SHAPES,
    SIDES,
    WALLS,
    Scene,
    render,
    rhythm_hits,
)

OTHER_SPEEDS = (0.75, 1.33)  # five semitones down and up
TRAINING, HELD_OUT = 11, 97  # seeds of the two kinds of scenes


@dataclass(frozen=True)
class World:
    """The rhythms and timbres that occur, with equal chances."""

    rhythms: tuple[str, ...]
    speeds: tuple[float, ...]


WORLDS = {
    "all": World(("steady", "pairs", "free"), (1.0,)),
    "some": World(("steady", "pairs"), (1.0,)),
    "rhythms": World(("free",), (1.0,)),
    "timbres": World(("steady", "pairs"), OTHER_SPEEDS),
    "both": World(("free",), OTHER_SPEEDS),
}


def training_clip(name: str, number: int, num_frames: int = NUM_FRAMES) -> tuple[Scene, np.ndarray]:
    """Scene and sound [N] for training: up to a quarter of the objects not in their own colour, some clips
    silent, some with a noise floor, at several volumes.
    """
    rng = np.random.default_rng([TRAINING, number])
    scene = _scene(name, rng, 0.75, num_frames)
    if rng.random() < 0.05:
        scene = replace(scene, hits=())
    floor = 0.002 if rng.random() < 0.25 else 0.0
    volume = rng.uniform(0.5, 1.0)
    return scene, volume * render_at_speed(scene, rng, _speed(name, rng), floor)


def held_out_clip(name: str, number: int, num_frames: int = NUM_FRAMES) -> tuple[Scene, np.ndarray]:
    """Scene and sound [N] of the test set: every object in its own colour, from digital silence."""
    rng = np.random.default_rng([HELD_OUT, number])
    scene = _scene(name, rng, 1.0, num_frames)
    return scene, render_at_speed(scene, rng, _speed(name, rng))


def render_at_speed(
    scene: Scene, rng: np.random.Generator, speed: float = 1.0, noise_floor: float = 0.0
) -> np.ndarray:
    """The scene's sound, float32 [N] at `SAMPLE_RATE`, every hit at its time but played at `speed`."""
    if speed == 1.0:
        return render_sound(scene, rng, noise_floor)
    slow = replace(
        scene,
        duration=scene.duration * speed,
        hits=tuple(replace(hit, time=hit.time * speed) for hit in scene.hits),
    )
    samples = render_sound(slow, rng, noise_floor)
    places = np.arange(round(scene.duration * SAMPLE_RATE)) * speed
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32)


def world_checksum(num_frames: int = NUM_FRAMES) -> str:
    """Hash of some sounds and pictures of the demo world, of clips of that length."""
    digest = hashlib.sha256()
    for name in WORLDS:
        for scene, sound in (training_clip(name, 0, num_frames), held_out_clip(name, 1, num_frames)):
            digest.update((sound * 32767).round().astype("<i2").tobytes())
            digest.update((render(scene)[::6] * 255).round().astype(np.uint8).tobytes())
    return digest.hexdigest()[:12]


def _scene(name: str, rng: np.random.Generator, natural: float, num_frames: int) -> Scene:
    shape = str(rng.choice(list(SHAPES)))
    return Scene(
        shape=shape,
        colour=SHAPES[shape] if rng.random() < natural else str(rng.choice(list(COLOURS))),
        wall=str(rng.choice(list(WALLS))),
        side=str(rng.choice(list(SIDES))),
        duration=num_frames / FPS,
        hits=rhythm_hits(str(rng.choice(WORLDS[name].rhythms)), num_frames, rng),
    )


def _speed(name: str, rng: np.random.Generator) -> float:
    return float(rng.choice(WORLDS[name].speeds))
