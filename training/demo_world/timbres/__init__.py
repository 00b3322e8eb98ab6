"""Many timbres for every object, wide enough that recorded instruments fall among them.

ball  kick drums, toms, hand drums, snare drums
box   wood blocks, claves, rim clicks, sticks, xylophones
bell  cowbells, bars, bells, triangles, frequency-modulated bells
star  hi-hats, cymbals, shakers, tambourines
ring  plucked strings, long and muted, from bass to harp
drop  bubbles, pops, rising blips

Ratios of partials as in Fletcher and Rossing, "The Physics of Musical Instruments". `sounds.py` has the one
timbre of each object in the world itself.

Legend: N samples.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..partials import unit_peak
from .bells import bar, church_bell, cowbell, fm_bell, triangle
from .plates import cymbal, hi_hat, shaker, tambourine
from .skins import hand_drum, kick, snare, tom
from .strings import muted_string, plucked
from .water import blip, bubble
from .wood import clave, rim, wood_block, xylophone

Timbre = Callable[[np.random.Generator], np.ndarray]

TIMBRES: dict[str, tuple[Timbre, ...]] = {
    "ball": (kick, tom, hand_drum, snare),
    "box": (wood_block, clave, rim, xylophone),
    "bell": (cowbell, bar, church_bell, triangle, fm_bell),
    "star": (hi_hat, cymbal, shaker, tambourine),
    "ring": (plucked, plucked, muted_string),
    "drop": (bubble, blip),
}


def one_shot(shape: str, rng: np.random.Generator) -> np.ndarray:
    """A struck or plucked sound of a random timbre of an object, [N] with peak 1."""
    choices = TIMBRES[shape]
    return unit_peak(choices[int(rng.integers(len(choices)))](rng))


__all__ = ["TIMBRES", "Timbre", "one_shot"]
