"""How well the demo follows recorded sounds: scenes whose hits are recordings of instruments.

A list says which recordings there are, an instrument a line: an object of the world, or `other` where no
object is the right one, and paths below the folder, with `*` for any name and ` | ` between them. After
`.sf2#` comes the name of a sample in a SoundFont bank. `recordings/` has three lists of what the Debian
packages named in them hold, each unpacked with `dpkg -x PACKAGE.deb FOLDER/PACKAGE`: `find.txt` for finding
settings of the training, `check.txt`, other recordings, for checking them, and `drums.txt`, where an
instrument is a whole kit, also for checking.

Each clip has one instrument and a random rhythm of the world (2 s, from digital silence). Every hit is a
random recording of the instrument, cut to its attack, with a peak of 0.8 times the loudness of the hit.
Recordings ring on below the next hit, as they would. Clips take the objects in turn, and the instruments of
an object in an order drawn from a seed.

Legend: N samples, F frames.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2v_core import media
from a2v_core.media import Waveform, resample
from a2v_core.metrics import av_align

from ..errors import DataError
from .held_out import sounding_scene, visible_events
from .recognise import EventCounts, recognise, shapes_shown
from .soundfont import bank_samples
from .sounds import SAMPLE_RATE
from .varied import PEAK
from .world import FPS, SHAPES, Scene

LISTS = Path(__file__).with_name("recordings")
CHECK_LIST = LISTS / "check.txt"
OTHER = "other"
LONGEST = 4.0  # seconds of a recording
ATTACK_LEVEL = 0.03  # of the peak, where a recording begins
_SEED = 97

# sound [N] at SAMPLE_RATE, frames, seed -> frames [F, H, W, 3]
Video = Callable[[np.ndarray, int, int], Tensor]


@dataclass(frozen=True)
class Recording:
    """A recorded hit, samples float32 [N] at `SAMPLE_RATE` from its attack on, with a peak of 1."""

    name: str
    samples: np.ndarray


@dataclass(frozen=True)
class Instrument:
    """Recordings that are heard together, and their object of the world, or OTHER."""

    shape: str
    recordings: tuple[Recording, ...]


def read_list(path: Path) -> list[tuple[str, list[str]]]:
    """Object and patterns of every line; DataError names a line that has not both."""
    entries = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        shape, _, patterns = line.strip().partition(" ")
        if shape not in (*SHAPES, OTHER) or not patterns.strip():
            known = ", ".join((*SHAPES, OTHER))
            raise DataError(f"{path}, line {number}: expected one of {known}, and a path: {line!r}")
        entries.append((shape, [one.strip() for one in patterns.split(" | ")]))
    return entries


def find_instruments(folder: Path, entries: Sequence[tuple[str, list[str]]]) -> list[Instrument]:
    """The instruments of a list below a folder; DataError where a pattern finds no recording."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    instruments = []
    for shape, patterns in entries:
        found: list[Recording] = []
        for pattern in patterns:
            part = [
                Recording(name, cut_to_attack(samples, rate))
                for name, samples, rate in _fitting(folder, names, pattern)
            ]
            if not part:
                raise DataError(f"{folder}: no recording fits {pattern!r}; unpack its package there")
            found += part
        instruments.append(Instrument(shape, tuple(found)))
    return instruments


def _fitting(folder: Path, names: Sequence[str], pattern: str) -> Iterator[tuple[str, np.ndarray, int]]:
    pattern, _, sample = pattern.partition("#")
    for name in names:
        if not fnmatchcase(name, pattern):
            continue
        if sample:
            yield from (
                (f"{name}#{one}", pcm, rate) for one, pcm, rate in bank_samples(folder / name, sample)
            )
        else:
            wave = media.load_audio(folder / name, duration=2 * LONGEST)
            yield name, wave.samples.mean(0).numpy(), wave.sample_rate


def cut_to_attack(samples: np.ndarray, rate: int) -> np.ndarray:
    """A recording as `Recording.samples`: from 2 ms before its attack, `LONGEST` at most, its end faded."""
    sound = resample(torch.from_numpy(np.ascontiguousarray(samples)), rate, SAMPLE_RATE).numpy()
    peak = float(np.abs(sound).max(initial=0.0))
    if not peak:
        raise DataError("a recording holds nothing but silence; leave it out of the list")
    attack = int(np.flatnonzero(np.abs(sound) > ATTACK_LEVEL * peak)[0])
    sound = sound[max(0, attack - SAMPLE_RATE // 500) :][: int(LONGEST * SAMPLE_RATE)] / peak
    fade = np.clip(np.arange(len(sound), 0, -1) / (0.03 * SAMPLE_RATE), 0.0, 1.0)
    return (sound * fade).astype(np.float32)


def recorded_clip(instruments: Sequence[Instrument], number: int) -> tuple[Instrument, Scene, np.ndarray]:
    """Clip `number`: its instrument, its scene (the object of OTHER is a ball) and its sound, float32 [N]."""
    shapes = sorted({instrument.shape for instrument in instruments})
    mine = [one for one in instruments if one.shape == shapes[number % len(shapes)]]
    turn, place = divmod(number // len(shapes), len(mine))
    instrument = mine[np.random.default_rng([_SEED, turn]).permutation(len(mine))[place]]
    rng = np.random.default_rng([_SEED, 1, number])
    scene = sounding_scene(rng)
    shape = instrument.shape if instrument.shape in SHAPES else "ball"
    sound = np.zeros(round(scene.duration * SAMPLE_RATE), dtype=np.float32)
    for hit in scene.hits:
        recording = instrument.recordings[int(rng.integers(len(instrument.recordings)))]
        start = round(hit.time * SAMPLE_RATE)
        part = recording.samples[: len(sound) - start]
        sound[start : start + len(part)] += PEAK * hit.loudness * part
    return instrument, replace(scene, shape=shape, colour=SHAPES[shape]), np.clip(sound, -1.0, 1.0)


class _Tally:
    """Counts over clips."""

    def __init__(self) -> None:
        self.events = EventCounts()
        self.shares: list[float] = []
        self.right: list[bool] = []
        self.scores: list[float] = []
        self.chances: list[float] = []

    def numbers(self) -> dict[str, float | None]:
        def mean(values: Sequence[float]) -> float | None:
            return float(np.mean(values)) if values else None

        return {
            "av_align": mean(self.scores),
            "chance": mean(self.chances),
            "event_recall": self.events.recall,
            "event_precision": self.events.precision,
            "one_object": mean(self.shares),
            "object_accuracy": mean(self.right),
        }


def score_recorded(video: Video, instruments: Sequence[Instrument], clips: int) -> dict[str, Any]:
    """The numbers of `clips` clips, and those of each object under its name.

    av_align, chance               as in `evaluate`
    event_recall, event_precision  leaps in the picture against true hits, within one frame, over all clips
    one_object       share of the frames of a clip that show its most frequent shape, mean over clips
    object_accuracy  share of clips whose most frequent shape is the right one, where the list names one
    """
    total, tallies = _Tally(), {instrument.shape: _Tally() for instrument in instruments}
    for number in range(clips):
        instrument, scene, sound = recorded_clip(instruments, number)
        frames = video(sound, scene.num_frames, number)
        aligned = av_align(frames, FPS, Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE))
        shape, count = Counter(shapes_shown(frames.numpy())).most_common(1)[0]
        for tally in (total, tallies[instrument.shape]):
            tally.events.add(recognise(frames.numpy()).leaps, visible_events(scene))
            tally.shares.append(count / scene.num_frames)
            if instrument.shape != OTHER:
                tally.right.append(shape == instrument.shape)
            if aligned.score is not None and aligned.chance is not None:
                tally.scores.append(aligned.score)
                tally.chances.append(aligned.chance)
    objects = {shape: tally.numbers() for shape, tally in tallies.items()}
    return {"clips": clips, "instruments": len(instruments), **total.numbers(), "objects": objects}
