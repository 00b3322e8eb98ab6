"""Drum patterns of known tempo from the one-shots of a kit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .drums import LONGEST, RATE, one_shot
from .scenes import Timed

SECONDS = 40.0
_KICK = (1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)
_SNARE = (0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0)
_EIGHTHS, _SIXTEENTHS = (1, 0) * 8, (1,) * 16
_LEVELS = (0.9, 0.8, 0.35)


def drum_pattern(files: list[Path], bpm: float, seed: int) -> Timed:
    """Three instruments chosen at random as kick, snare and hi-hat, in bars of four; times of the beats."""
    rng = np.random.default_rng([23, seed])
    shots = [shot for path in files if (shot := one_shot(path)) is not None]
    chosen = [shots[number] for number in rng.choice(len(shots), 3, replace=False)]
    patterns = (_KICK, _SNARE, _EIGHTHS if rng.random() < 0.6 else _SIXTEENTHS)
    samples = np.zeros(round((SECONDS + LONGEST) * RATE), np.float32)
    sixteenth, first = 60 / bpm / 4, rng.uniform(0, 1)
    beats = []
    for number in range(int((SECONDS - first) / sixteenth)):
        time = first + number * sixteenth
        start = round(time * RATE)
        if number % 4 == 0:
            beats.append(start / RATE)
        for pattern, shot, level in zip(patterns, chosen, _LEVELS, strict=True):
            if pattern[number % 16]:
                samples[start : start + len(shot)] += shot * level * rng.uniform(0.8, 1.0)
    samples = samples[: round(SECONDS * RATE)]
    return Timed(samples / max(1.0, float(np.abs(samples).max())), RATE, tuple(beats))
