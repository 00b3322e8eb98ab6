"""Three ways from a sound file to a schedule: ours, a librosa script, and a recipe for every video frame.

Each returns its schedule, one value per frame in 0..1, and the onsets that it found in seconds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Answer(NamedTuple):
    """What a contender made of a file."""

    values: list[float]
    onsets: list[float]


def ours(path: Path, fps: float) -> Answer:
    """`a2v_core.signals`, streamed."""
    from a2v_core.signals import frame_axis, measure, schedule_of

    measured = measure(path)
    schedule = schedule_of(measured, "onset", frame_axis(fps, 0, measured.duration))
    return Answer(schedule.floats(), [onset.time for onset in measured.onsets])


def librosa_script(path: Path, fps: float) -> Answer:
    """librosa with its defaults, as most scripts have it: load, onset strength, one value per frame."""
    import librosa
    from librosa.onset import onset_detect, onset_strength

    samples, rate = librosa.load(path)
    envelope = onset_strength(y=samples, sr=rate)
    onsets = onset_detect(onset_envelope=envelope, sr=rate, units="time")
    frames = np.arange(round(len(samples) / rate * fps)) / fps
    values = np.interp(frames, librosa.times_like(envelope, sr=rate), envelope / (envelope.max() or 1))
    return Answer(values.tolist(), onsets.tolist())


def frame_recipe(path: Path, fps: float) -> Answer:
    """A recipe of published node packs (RyanOnTheInside: amplitude envelope), written from its description.

    The sound is cut into frames of a whole number of samples; a frame's value is its largest magnitude. Its
    onsets are the frames that rise most.
    """
    import librosa

    samples, rate = librosa.load(path, sr=None, mono=True)
    length = int(rate / fps)
    count = len(samples) // length
    values = np.abs(samples[: count * length]).reshape(count, length).max(axis=1)
    values = values / (values.max() or 1)
    rise = np.diff(values, prepend=0.0)
    peaks = [n for n in range(1, count) if rise[n] > 0.2 and rise[n] >= rise[n - 1]]
    return Answer(values.tolist(), [n / fps for n in peaks])


CONTENDERS: dict[str, Callable[[Path, float], Answer]] = {
    "ours": ours,
    "librosa": librosa_script,
    "recipe": frame_recipe,
}


def main(name: str, path: str, fps: str) -> None:
    """Run a contender twice in this process and print what it found, what it took and its memory, as JSON.

    The first run has imports and compilation in it, the second has not.
    """
    from .machine import resident_bytes

    facts: dict[str, Any] = {}
    for run in ("first", "again"):
        wall, processor = time.perf_counter(), time.process_time()
        answer = CONTENDERS[name](Path(path), float(fps))
        facts[f"{run}_seconds"] = time.perf_counter() - wall
        facts[f"{run}_cpu"] = time.process_time() - processor
        if run == "first":
            facts["peak_mib"] = resident_bytes()[1] / 2**20
    print(json.dumps({**facts, **answer._asdict()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
