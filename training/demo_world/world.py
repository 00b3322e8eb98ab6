"""The demo world: a sounding object in front of a wall; every hit in its sound makes it jump and glow.

A clip is rendered from a `Scene` (object, wall, side, hits). The sound tells the object: each of the six
shapes has its own sound (`sounds.py`) and, unless a caption says otherwise, its own colour. A scene may hold
further objects, in the picture or out of it, with hits of their own.

The motion has one peak of optical flow per hit: the object leaps within one frame and sinks back ever
slower. A leap of 10 px in a 64 px picture is what Farneback flow still follows; much larger jumps are
invisible to it.

Legend: F frames, H W picture size in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

SIZE = 64  # pixels
FPS = 12.0
NUM_FRAMES = 24
RADIUS = 11.0  # pixels
FLOOR_Y = 43.0  # centre of a resting object, pixels from the top
LEAP = 10.0  # pixels above the rest at the frame of a hit of loudness 1
SINK = 0.62  # share of the height that is left a frame later
MIN_GAP = 4  # frames between hits
RHYTHMS = ("steady", "pairs", "free")
LOUDNESS = (0.7, 0.8, 0.9, 1.0)
REST = 0.012  # share of the height below which the object lies still
LEVELS = ("still", "low", "middle", "high", "top")  # words for the height, from rest upwards

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.82, 0.08, 0.16),
    "blue": (0.16, 0.36, 0.92),
    "green": (0.14, 0.68, 0.26),
    "yellow": (0.97, 0.90, 0.26),
    "purple": (0.62, 0.22, 0.80),
    "orange": (0.96, 0.48, 0.06),
}
WALLS: dict[str, tuple[float, float, float]] = {
    "grey": (0.30, 0.31, 0.33),
    "navy": (0.07, 0.10, 0.24),
    "sand": (0.70, 0.62, 0.48),
}
SIDES: dict[str, float] = {"left": 18.0, "centre": 32.0, "right": 46.0}
SHAPES: dict[str, str] = {  # shape -> the colour it has by nature
    "ball": "red",
    "box": "blue",
    "bell": "yellow",
    "star": "purple",
    "ring": "green",
    "drop": "orange",
}


@dataclass(frozen=True)
class Hit:
    """One event: `time` in seconds, `loudness` in 0..1."""

    time: float
    loudness: float = 1.0


@dataclass(frozen=True)
class Actor:
    """A further object of a scene; off screen if not `visible`."""

    shape: str
    colour: str
    side: str
    hits: tuple[Hit, ...] = ()
    visible: bool = True


@dataclass(frozen=True)
class Scene:
    """The content of a clip. `duration` in seconds; `hits` in order of time."""

    shape: str
    colour: str
    wall: str
    side: str
    duration: float = NUM_FRAMES / FPS
    hits: tuple[Hit, ...] = field(default_factory=tuple)
    others: tuple[Actor, ...] = ()

    @property
    def num_frames(self) -> int:
        return round(self.duration * FPS)


def random_hits(rng: np.random.Generator, num_frames: int, silence: float = 0.06) -> tuple[Hit, ...]:
    """Hits of a random rhythm, at least `MIN_GAP` frames apart; none with probability `silence`.

    There are no hits in the first and the last two frames, where no flow peak can be found.
    """
    if rng.random() < silence:
        return ()
    return rhythm_hits(str(rng.choice(RHYTHMS)), num_frames, rng)


def rhythm_hits(rhythm: str, num_frames: int, rng: np.random.Generator) -> tuple[Hit, ...]:
    """Hits of a rhythm, as `random_hits`; at least one in a clip of 24 frames.

    steady  equal intervals
    pairs   two close hits, then a pause
    free    random intervals
    """
    gap = rng.uniform(4.5, 10.0)
    frame = rng.uniform(2.0, 2.0 + gap)
    hits: list[Hit] = []
    while frame <= num_frames - 3:
        hits.append(Hit(float(frame) / FPS, float(rng.choice(LOUDNESS))))
        if rhythm == "steady":
            frame += gap
        elif rhythm == "pairs":
            frame += MIN_GAP + 0.2 if len(hits) % 2 else max(gap, MIN_GAP + 2.0)
        else:
            frame += rng.uniform(MIN_GAP + 0.2, 11.0)
    return tuple(hits)


def random_scene(rng: np.random.Generator, num_frames: int = NUM_FRAMES, natural: float = 1.0) -> Scene:
    """A scene; with probability `natural` the object has its shape's own colour, else any."""
    shape = str(rng.choice(list(SHAPES)))
    colour = SHAPES[shape] if rng.random() < natural else str(rng.choice(list(COLOURS)))
    return Scene(
        shape=shape,
        colour=colour,
        wall=str(rng.choice(list(WALLS))),
        side=str(rng.choice(list(SIDES))),
        duration=num_frames / FPS,
        hits=random_hits(rng, num_frames),
    )


def heights(scene: Scene) -> np.ndarray:
    """Height of the object in 0..1 per frame, float64 [F]: it leaps at hits and sinks slowly."""
    return heights_of(scene.hits, scene.num_frames)


def heights_of(hits: tuple[Hit, ...], num_frames: int, fps: float = FPS) -> np.ndarray:
    """Height of an object with these hits above its rest position, [F]."""
    height = np.zeros(num_frames)
    strength = {round(hit.time * fps): hit.loudness for hit in hits}
    sink = SINK ** (FPS / fps)
    level = 0.0
    for frame in range(num_frames):
        level = level * sink if level > REST else 0.0
        level = max(level, strength.get(frame, 0.0))
        height[frame] = level
    return height


def level_word(height: float) -> str:
    """Word of `LEVELS` for a height in 0..1."""
    for word, top in zip(LEVELS, (0.04, 0.2, 0.4, 0.68), strict=False):
        if height <= top:
            return word
    return LEVELS[-1]


def _distance(shape: str, x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    """Signed distance in pixels to the edge of a shape centred at the origin; negative inside."""
    if shape == "ball":
        return np.hypot(x, y) - radius
    if shape == "ring":
        return np.abs(np.hypot(x, y) - 0.72 * radius) - 0.30 * radius
    if shape == "box":
        return np.maximum(np.abs(x), np.abs(y)) - 0.86 * radius
    if shape == "bell":  # a triangle that stands on its base
        return np.maximum(np.abs(x) * 0.894 - (y + radius) * 0.447, y - 0.85 * radius)
    if shape == "star":  # four-pointed
        return (np.abs(x) ** 0.7 + np.abs(y) ** 0.7) ** (1 / 0.7) - 1.15 * radius
    if shape == "drop":  # a disc with a tip
        disc = np.hypot(x, y - 0.25 * radius) - 0.72 * radius
        tip = np.maximum(np.abs(x) * 0.9 - (y + 1.15 * radius) * 0.48, y - 0.1 * radius)
        return np.minimum(disc, tip)
    raise ValueError(f"unknown shape {shape!r}: known are {', '.join(SHAPES)}")


def empty_wall(name: str) -> np.ndarray:
    """The picture of a wall of `WALLS` without an object, [H, W, 3]."""
    rows = np.linspace(-0.5, 0.5, SIZE)[:, None, None]
    wall = np.asarray(WALLS[name])[None, None, :] * (1.0 - 0.25 * rows)
    picture = np.broadcast_to(wall, (SIZE, SIZE, 3)).copy()
    picture[int(FLOOR_Y + RADIUS) :] *= 0.62
    return picture


def render(scene: Scene, fps: float = FPS) -> np.ndarray:
    """The frames of a scene, float32 [F, H, W, 3] in 0..1."""
    count = round(scene.duration * fps)
    frames = render_heights(scene, heights_of(scene.hits, count, fps))
    for actor in scene.others:
        if actor.visible:
            levels = heights_of(actor.hits, count, fps)
            _paint(frames, actor.shape, actor.colour, actor.side, levels)
    return frames


def render_heights(scene: Scene, levels: np.ndarray) -> np.ndarray:
    """Pictures of a scene's object at given heights, [F] in 0..1 -> float32 [F, H, W, 3] in 0..1."""
    frames = np.repeat(empty_wall(scene.wall)[None].astype(np.float32), len(levels), axis=0)
    _paint(frames, scene.shape, scene.colour, scene.side, levels)
    return frames


def _paint(frames: np.ndarray, shape: str, colour_name: str, side: str, levels: np.ndarray) -> None:
    """Draws an object at a height per frame into `frames`."""
    columns, rows = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    colour = np.asarray(COLOURS[colour_name])
    for frame, height in enumerate(levels):
        x, y = columns - SIDES[side], rows - (FLOOR_Y - LEAP * height)
        cover = np.clip(0.5 - _distance(shape, x, y, RADIUS), 0.0, 1.0)[..., None]
        light = 0.12 * np.clip((-x - y) / (2 * RADIUS), -1.0, 1.0)[..., None]
        glow = colour + (1.0 - colour) * 0.35 * height
        frames[frame] = np.clip(frames[frame] * (1.0 - cover) + (glow + light) * cover, 0.0, 1.0)


def clip_caption(scene: Scene, rng: np.random.Generator) -> str:
    """A caption of the whole clip; its side and wall are each named half of the time."""
    motion = "bouncing" if scene.hits else "still"
    return " ".join(["a video of a", scene.colour, scene.shape, motion, *_place(scene, rng)])


def frame_caption(scene: Scene, height: float, place: list[str]) -> str:
    """A caption of one frame, with the word for the object's height (in 0..1)."""
    return " ".join(["a video of a", scene.colour, scene.shape, level_word(height), *place])


def _place(scene: Scene, rng: np.random.Generator) -> list[str]:
    place = ["on the", scene.side] if rng.random() < 0.5 else []
    return [*place, "on", scene.wall] if rng.random() < 0.5 else place


def frame_captions(scene: Scene, rng: np.random.Generator) -> list[str]:
    """A caption per frame; all name the same place."""
    place = _place(scene, rng)
    return [frame_caption(scene, float(height), place) for height in heights(scene)]
