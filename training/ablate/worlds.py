"""Scenes and sounds to train and to test on, with the rhythms and the timbres kept apart.

A timbre is a speed at which every struck sound is played: 1 is the demo world's own, at other speeds pitch
and length of a sound are ones that a training at speed 1 never heard.

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
    LOUDNESS,
    MIN_GAP,
    NUM_FRAMES,
    SHAPES,
    SIDES,
    WALLS,
    Hit,
    Scene,
    render,
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


def hits_of(rhythm: str, rng: np.random.Generator) -> tuple[Hit, ...]:
    """Hits of a rhythm, at least one, `MIN_GAP` frames apart; first and last two frames stay free.

    steady  one distance
    pairs   two close hits, then a pause
    free    every distance is another
    """
    gap = rng.uniform(4.5, 10.0)
    frame = rng.uniform(2.0, 2.0 + gap)
    hits: list[Hit] = []
    while frame <= NUM_FRAMES - 3:
        hits.append(Hit(float(frame) / FPS, float(rng.choice(LOUDNESS))))
        if rhythm == "steady":
            frame += gap
        elif rhythm == "pairs":
            frame += MIN_GAP + 0.2 if len(hits) % 2 else max(gap, MIN_GAP + 2.0)
        else:
            frame += rng.uniform(MIN_GAP + 0.2, 11.0)
    return tuple(hits)


def training_clip(name: str, number: int) -> tuple[Scene, np.ndarray]:
    """Scene and sound [N] to train on: a quarter in another colour than the object's own, some silent, some
    with a noise floor, at several volumes.
    """
    rng = np.random.default_rng([TRAINING, number])
    scene = _scene(name, rng, natural=0.75)
    if rng.random() < 0.05:
        scene = replace(scene, hits=())
    floor = 0.002 if rng.random() < 0.25 else 0.0
    volume = rng.uniform(0.5, 1.0)
    return scene, volume * played(scene, rng, _speed(name, rng), floor)


def held_out_clip(name: str, number: int) -> tuple[Scene, np.ndarray]:
    """Scene and sound [N] of the test set: every object in its own colour, from digital silence."""
    rng = np.random.default_rng([HELD_OUT, number])
    scene = _scene(name, rng, natural=1.0)
    return scene, played(scene, rng, _speed(name, rng))


def played(
    scene: Scene, rng: np.random.Generator, speed: float = 1.0, noise_floor: float = 0.0
) -> np.ndarray:
    """The scene's sound, float32 [N] at `SAMPLE_RATE`, every hit in its place but played at `speed`."""
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


def world_checksum() -> str:
    """Changes when sounds or pictures of the demo world change."""
    digest = hashlib.sha256()
    for name in WORLDS:
        for scene, sound in (training_clip(name, 0), held_out_clip(name, 1)):
            digest.update((sound * 32767).round().astype("<i2").tobytes())
            digest.update((render(scene)[::6] * 255).round().astype(np.uint8).tobytes())
    return digest.hexdigest()[:12]


def _scene(name: str, rng: np.random.Generator, natural: float) -> Scene:
    shape = str(rng.choice(list(SHAPES)))
    return Scene(
        shape=shape,
        colour=SHAPES[shape] if rng.random() < natural else str(rng.choice(list(COLOURS))),
        wall=str(rng.choice(list(WALLS))),
        side=str(rng.choice(list(SIDES))),
        duration=NUM_FRAMES / FPS,
        hits=hits_of(str(rng.choice(WORLDS[name].rhythms)), rng),
    )


def _speed(name: str, rng: np.random.Generator) -> float:
    return float(rng.choice(WORLDS[name].speeds))
