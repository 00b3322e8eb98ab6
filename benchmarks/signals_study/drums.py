"""Recorded drums with known hit times: one-shots of sample kits, placed by a random rhythm.

A kit is a folder of sound files, one stroke each, such as Hydrogen's (Debian: hydrogen-drumkits and
hydrogen-data). A one-shot begins where it first reaches a hundredth (-40 dB) of its own peak; that sample is
put at the time of the hit. All are brought to the same peak, times the loudness of the hit. Files whose level
rises again after the stroke (a hi-hat that is closed, a bounce) hold more than one and are left out.

Legend: N samples.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np

from a2v_core.audio import resample
from a2v_core.errors import MediaError
from a2v_core.media import load_audio

from .scenes import Timed

RATE = 44100
SECONDS = 8.0
BEGINS_AT = 0.01  # of the peak: -40 dB
LONGEST = 3.0  # seconds; longer files are loops
_ENDINGS = (".wav", ".flac", ".aiff")
# More than one stroke, or none that can be told: what a name says.
_NOT_ONE_STROKE = re.compile(
    r"loop|beat|flam|roll|shake|maraca|cabasa|guiro|tamb|whistle|vibra|scratch|fx|demo|noise|jingle|fast|drag|ruff",
    re.IGNORECASE,
)

Samples = np.ndarray[Any, np.dtype[np.float32]]


def kits_in(folder: Path) -> dict[str, list[Path]]:
    """Name -> files of the kits below a folder: what looks like one stroke, four files or more."""
    found = {}
    for kit in sorted({path.parent for path in folder.rglob("drumkit.xml")}):
        files = sorted(path for path in kit.iterdir() if path.suffix.lower() in _ENDINGS)
        files = [path for path in files if not _NOT_ONE_STROKE.search(path.stem)]
        if len(files) >= 4:
            found[kit.name] = files
    return found


@functools.lru_cache(maxsize=512)
def one_shot(path: Path) -> Samples | None:
    """The stroke from its begin on, mono at `RATE`, peak 1; None if silent, long, unreadable, or several."""
    try:
        sound = load_audio(path)
    except MediaError:
        return None
    samples = resample(sound.samples.mean(0), sound.sample_rate, RATE).numpy()
    peak = float(np.abs(samples).max())
    if not 0 < len(samples) <= LONGEST * RATE or peak < 1e-3:
        return None
    begin = int(np.flatnonzero(np.abs(samples) >= BEGINS_AT * peak)[0])
    stroke = np.asarray(samples[begin:] / peak, np.float32)
    return None if _rises_again(stroke) else stroke


def _rises_again(stroke: Samples) -> bool:
    """Whether the level of 10 ms, above -40 dB, is 6 dB higher than at some time in the 50 ms before it."""
    size = RATE // 100
    steps = stroke[: len(stroke) // size * size].reshape(-1, size)
    level = 10 * np.log10(np.square(steps).mean(1) + 1e-9)
    level = np.maximum(level, level.max(initial=-90.0) - 40)
    first = 8  # the stroke itself may take 80 ms to its peak
    return any(level[step] > level[step - 5 : step].min() + 6 for step in range(first, len(level)))


def drum_scene(files: list[Path], seed: int) -> Timed:
    """A rhythm in sixteenths, two to five instruments of a kit, hits a little off the grid."""
    rng = np.random.default_rng([17, seed])
    usable = [shot for path in files if (shot := one_shot(path)) is not None]
    chosen = [
        usable[i] for i in rng.choice(len(usable), min(len(usable), int(rng.integers(2, 6))), replace=False)
    ]
    sixteenth = 60 / rng.uniform(80, 140) / 4
    busy = rng.uniform(0.15, 0.5)
    samples = np.zeros(round((SECONDS + LONGEST) * RATE), np.float32)
    times = []
    for number in range(1, int((SECONDS - 0.4) / sixteenth)):
        struck = [shot for shot in chosen if rng.random() < busy / len(chosen) * 1.6]
        if not struck:
            continue
        start = round((number * sixteenth + rng.uniform(-0.008, 0.008)) * RATE)
        for shot in struck:
            samples[start : start + len(shot)] += shot * 0.5 * rng.uniform(0.5, 1.0)
        times.append(start / RATE)
    return Timed(
        samples[: round(SECONDS * RATE)] / max(1.0, float(np.abs(samples).max())), RATE, tuple(times)
    )
