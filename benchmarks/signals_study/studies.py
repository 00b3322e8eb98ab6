"""The studies: each a table, row -> facts."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from a2v_core.audio import detect_onsets, load_beats
from a2v_core.demo import demo_path
from a2v_core.media import Waveform
from a2v_core.signals import FLUX, ONSET, find_beats, frame_axis, measure, schedule_of, sound_events
from training.demo_world.held_out import held_out
from training.demo_world.sounds import SAMPLE_RATE
from training.demo_world.world import Actor, Scene

from .drums import drum_scene, kits_in
from .files import FILES
from .matching import Tally
from .rhythms import drum_pattern
from .scenes import Timed, world_scene

Table = dict[str, dict[str, Any]]

SETS = ("plain", "noise", "long", "two")
CHOSEN_ON = (  # kits on which the settings of the onsets were chosen
    "ElectricEmpireKit",
    "GMRockKit",
    "HardElectro1",
    "Millo-Drums_v.1",
    "Millo_MultiLayered2",
    "The Black Pearl 1.0",
    "circAfrique v4",
)
FRAME_RATES = (8.0, 12.0, 16.0, 23.976, 24.0, 25.0, 30.0, 60.0)
TEMPI = (72.0, 93.5, 120.0, 128.3, 150.0, 174.0)
_SAME_HIT = 0.02  # seconds
_OCTAVES = (0.5, 1.0, 2.0)


def onsets(scenes: int, kits: Path | None) -> Table:
    """Each held-out set, ours and AV-Align's."""
    return {
        f"{name}, {detector}": _tally(detect, (world_scene(name, number) for number in range(scenes)))
        for name in SETS
        for detector, detect in _DETECTORS.items()
    }


def drums(scenes: int, kits: Path | None) -> Table:
    """The kits that settings were chosen on, and the others."""
    assert kits is not None
    found = kits_in(kits)
    groups = {
        "kits the settings come from": [name for name in found if name in CHOSEN_ON],
        "other kits": [name for name in found if name not in CHOSEN_ON],
    }
    each = max(1, scenes // 10)
    table = {}
    for group, names in groups.items():
        for detector, detect in _DETECTORS.items():
            sounds = (
                drum_scene(found[name], 100 * n + s) for n, name in enumerate(names) for s in range(each)
            )
            table[f"{group}, {detector}"] = {"kits": len(names), **_tally(detect, sounds)}
    return table


def classes(scenes: int, kits: Path | None) -> Table:
    """Share of the hits whose likeliest class is that of an object that is hit then."""
    beats = load_beats(demo_path("beats"))
    return {name: _named(beats, name, scenes) for name in (*SETS, "off_screen")}


def schedules(scenes: int, kits: Path | None) -> Table:
    """Distance in frames of each hit from the frame with its peak, over ten minutes; the most of all."""
    table: Table = {}
    with tempfile.TemporaryDirectory(prefix="a2v-signals-") as folder:
        for name, make in FILES.items():
            path, hits = make(Path(folder))
            found = measure(path)
            late = [min((onset.time - hit for onset in found.onsets), key=abs) for hit in hits]
            table[name] = {"hits": len(hits), "median_ms": 1000 * float(np.median(late))}
            table[name] |= {f"{fps:g} fps": _most_off(found, hits, fps) for fps in FRAME_RATES}
            path.unlink()
    return table


def tempo(scenes: int, kits: Path | None) -> Table:
    """Patterns of 40 s at six tempi: whether the tempo found is that, or twice or half of it."""
    assert kits is not None
    table = {}
    for number, (name, files) in enumerate(kits_in(kits).items()):
        rows = []
        for bpm in TEMPI:
            pattern = drum_pattern(files, bpm, 10 * number + int(bpm))
            rows.append((find_beats(measure(_waveform(pattern), (ONSET, FLUX))), bpm, pattern.times))
        ratios = [0.0 if beats.tempo is None else beats.tempo / bpm for beats, bpm, _ in rows]
        table[name] = {
            "exact": sum(abs(ratio - 1) < 0.01 for ratio in ratios),
            "exact_or_octave": sum(
                any(abs(ratio / octave - 1) < 0.01 for octave in _OCTAVES) for ratio in ratios
            ),
            "of": len(rows),
            "confidence": float(np.median([beats.confidence for beats, _, _ in rows])),
        }
    return table


def _waveform(sound: Timed) -> Waveform:
    return Waveform(torch.from_numpy(np.ascontiguousarray(sound.samples))[None], sound.rate)


def _ours(sound: Timed) -> list[float]:
    return [onset.time for onset in measure(_waveform(sound)).onsets]


def _av_align(sound: Timed) -> list[float]:
    return list(detect_onsets(_waveform(sound)).times)


_DETECTORS: dict[str, Callable[[Timed], list[float]]] = {"signals": _ours, "AV-Align (librosa)": _av_align}


def _tally(detect: Callable[[Timed], list[float]], sounds: Iterable[Timed]) -> dict[str, Any]:
    tally = Tally()
    for sound in sounds:
        tally.add(detect(sound), sound.times)
    return tally.facts()


def _named(beats: Any, name: str, scenes: int) -> dict[str, Any]:
    hits = right = together = right_together = 0
    for number in range(scenes):
        scene, samples = held_out(number, name)
        found = sound_events(_waveform(Timed(samples, SAMPLE_RATE, ())), beats)
        sounding: list[Scene | Actor] = [scene, *scene.others]
        truth: dict[float, set[str]] = {}
        for one in sounding:
            for hit in one.hits:
                truth.setdefault(hit.time, set()).add(one.shape)
        for time, shapes in truth.items():
            near = [event for event in found.events if abs(event.time - time) <= _SAME_HIT]
            good = bool(near) and near[0].label in shapes
            hits, right = hits + 1, right + good
            if len(shapes) > 1:
                together, right_together = together + 1, right_together + good
    facts: dict[str, Any] = {"hits": hits, "right": right / max(1, hits)}
    if together:
        alone = (right - right_together) / max(1, hits - together)
        facts |= {"right_alone": alone, "together": together, "one_of_both": right_together / together}
    return facts


def _most_off(found: Any, hits: list[float], fps: float) -> float:
    axis = frame_axis(fps, 0, found.duration)
    peaks = np.flatnonzero(schedule_of(found, ONSET, axis).values)
    exact = [Fraction(hit) * axis.fps for hit in hits]
    return max(min(abs(float(peak - at)) for peak in _near(peaks, float(at))) for at in exact)


def _near(peaks: Any, at: float) -> list[int]:
    middle = int(np.searchsorted(peaks, at))
    return [int(peak) for peak in peaks[max(0, middle - 2) : middle + 2]]


STUDIES: dict[str, Callable[[int, Path | None], Table]] = {
    "onsets": onsets,
    "drums": drums,
    "classes": classes,
    "schedules": schedules,
    "tempo": tempo,
}
WITH_KITS = {"drums", "tempo"}
