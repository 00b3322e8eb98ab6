"""What is said about the clips of the demo's Wan: one text for a whole clip.

The base model learns captions that leave things out, down to "a video", so that sound can say the rest.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from a2v_core.backbones.wan import encode_texts, load_text
from a2v_core.demo import demo_path

from ..captioned import KnownTexts
from ..fitting import device
from ..t2v import TEXT_WIDTH
from ..world import SHAPES, Scene

# What a caption of the base model names: share of the captions, object's colour, object's shape.
_NAMED = ((0.55, True, True), (0.15, True, False), (0.1, False, True), (0.1, False, False))
EMPTY = 0.1  # share of the captions that are empty, for guidance: the rest of the table


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """For the base model: a text about a clip that leaves out some of it, or all."""
    chance = rng.random()
    for share, colour, shape in _NAMED:
        if chance < share:
            moves = rng.random() < (0.8 if shape else 0.4)
            return _text(scene, colour, shape, moves, 0.4, rng)
        chance -= share
    return ""


def beside_sound(scene: Scene, rng: np.random.Generator) -> str:
    """For the adapter: sound alone or with text; a colour that is not the object's own is always named."""
    own = scene.colour == SHAPES[scene.shape]
    colour = not own or rng.random() < 0.15
    shape = rng.random() < (0.3 if colour else 0.05)
    return _text(scene, colour, shape, rng.random() < 0.2, 0.2, rng)


def _text(
    scene: Scene, colour: bool, shape: bool, motion: bool, place: float, rng: np.random.Generator
) -> str:
    named = [scene.colour] if colour else []
    named += [scene.shape] if shape else []
    words = ["a", *named] if named else []
    words += ["bouncing" if scene.hits else "still"] if motion else []
    words = ["a video", *(["of", *words] if words else [])]
    words += ["on the", scene.side] if rng.random() < place else []
    words += ["on", scene.wall] if rng.random() < place else []
    return " ".join(words)


class Texts(KnownTexts):
    """What the demo's text encoder, which stays as it is, makes of texts for Wan."""

    def __init__(self) -> None:
        self.encoder, self.tokenizer = load_text(demo_path("t2v"), TEXT_WIDTH, torch.float32)
        self.encoder.to(device())
        super().__init__(partial(encode_texts, self.encoder, self.tokenizer))
