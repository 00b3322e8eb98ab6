"""Sounds whose hit times are known, from the demo world's held-out sets.

Legend: N samples.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from training.demo_world.held_out import held_out
from training.demo_world.sounds import SAMPLE_RATE


class Timed(NamedTuple):
    """Mono float32 [N] at `rate` Hz, and the seconds at which something is hit, ascending."""

    samples: np.ndarray[Any, np.dtype[np.float32]]
    rate: int
    times: tuple[float, ...]


def world_scene(name: str, number: int) -> Timed:
    """Scene `number` of a held-out set (`plain`, `noise`, `long`, `two`): every hit of every object counts,
    those of two objects at the same time once."""
    scene, samples = held_out(number, name)
    hits = [*scene.hits, *(hit for actor in scene.others for hit in actor.hits)]
    return Timed(
        samples, SAMPLE_RATE, tuple(sorted({round(hit.time * SAMPLE_RATE) / SAMPLE_RATE for hit in hits}))
    )
