"""Sound to schedule: our signals, a straight librosa script, and a recipe of published node packs.

    python -m benchmarks.signals [--minutes N] [--json]

A drum track of the demo world (22.05 kHz sounds in a stereo file at 44.1 kHz), whose hit times are known, is
made in a temporary folder. Every contender is a process of its own on two cores, one after the other.

seconds, cpu   from the file to the schedule, imports done: `again`; with imports and compilation: `first`
peak_mib       most resident memory of the process; `growth_mib` what twice as long a file adds
onset errors   of the hits found within 50 ms: median (bias), 95th percentile of the distance
recall_20      share of the hits that have an onset within 20 ms; precision_20 the other way round
peak_frames    from a hit to the highest value near it, in frames: mean over the first and last minute, whose
               difference is drift, and 99th percentile of the distance; rounding makes up to half a frame
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .machine import describe_machine
from .signals_peers import CONTENDERS
from .signals_study.matching import Tally

ROOT = Path(__file__).resolve().parents[1]
RATE, WORLD_RATE = 44100, 22050
FPS = 24.0
CORES = 2
GAPS = (0.5, 1.1)  # seconds between hits

Facts = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print it; exit code 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.signals", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the sound")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    options = parser.parse_args(arguments)
    facts = run(options.minutes)
    print(json.dumps(facts, indent=1) if options.json else _text(facts))
    return 0


def run(minutes: float) -> Facts:
    """Facts of every contender by name, and of the machine."""
    with tempfile.TemporaryDirectory(prefix="a2v-signals-") as folder:
        single, double = Path(folder) / "one.wav", Path(folder) / "two.wav"
        times = draw_track(single, 60 * minutes)
        draw_track(double, 120 * minutes)
        found = {name: _measured(name, single, double, times) for name in CONTENDERS}
    return {"minutes": minutes, "fps": FPS, "hits": len(times), **found, "machine": describe_machine()}


def draw_track(path: Path, seconds: float) -> list[float]:
    """Hits of the demo world's six sounds at random times, as a stereo file; their times in seconds."""
    from a2v_core.audio import resample
    from training.demo_world.sounds import hit_sound
    from training.demo_world.world import SHAPES, Hit

    rng = np.random.default_rng(5)
    samples = np.zeros(round(seconds * WORLD_RATE) + WORLD_RATE, np.float32)
    times: list[float] = []
    time = 0.5
    while time < seconds - 1:
        start = round(time * WORLD_RATE)
        sound = hit_sound(str(rng.choice(list(SHAPES))), Hit(time, float(rng.uniform(0.5, 1))), rng)
        samples[start : start + len(sound)] += 0.8 * sound
        times.append(start / WORLD_RATE)
        time += rng.uniform(*GAPS)
    import torch

    track = resample(torch.from_numpy(samples[: round(seconds * WORLD_RATE)]), WORLD_RATE, RATE).numpy()
    _write_stereo(path, track)
    return times


def _measured(name: str, single: Path, double: Path, times: list[float]) -> Facts:
    answer, longer = _answer(name, single), _answer(name, double)
    tally = Tally()
    tally.add(answer["onsets"], times)
    late = np.array(tally.late)
    values = np.array(answer["values"])
    kept = {key: round(answer[key], 3) for key in answer if key not in ("values", "onsets")}
    return {
        **kept,
        "growth_mib": round(longer["peak_mib"] - answer["peak_mib"], 1),
        "onset_median_ms": round(float(np.median(late)), 3) if len(late) else None,
        "onset_95_ms": round(float(np.percentile(np.abs(late), 95)), 3) if len(late) else None,
        "recall_20": round(tally.facts()["recall_20"], 4),
        "precision_20": round(tally.facts()["precision_20"], 4),
        "peak_frames_first": _peak_distance(values, [time for time in times if time < 60]),
        "peak_frames_last": _peak_distance(values, [time for time in times if time > times[-1] - 60]),
        "peak_frames_most": _peak_distance(values, times, most=True),
    }


def _peak_distance(values: Any, times: list[float], most: bool = False) -> float:
    """From a hit to the highest value near it, in frames: mean, or 99th percentile of the distance."""
    distances = []
    for time in times:
        middle = time * FPS
        first = max(0, round(middle) - 3)
        near = values[first : round(middle) + 7]
        if len(near):
            distances.append(first + int(np.argmax(near)) - middle)
    return round(float(np.percentile(np.abs(distances), 99) if most else np.mean(distances)), 3)


def _answer(name: str, path: Path) -> Any:
    command = [sys.executable, "-m", "benchmarks.signals_peers", name, str(path), str(FPS)]
    affinity = getattr(os, "sched_getaffinity", None)
    cores = sorted(affinity(0))[:CORES] if affinity else []
    if cores:
        tied = f"import os, sys; os.sched_setaffinity(0, {cores}); os.execv(sys.argv[1], sys.argv[1:])"
        command = [sys.executable, "-c", tied, *command]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout)


def _write_stereo(path: Path, samples: Any) -> None:
    import wave

    whole = (samples.clip(-1, 1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.repeat(whole[:, None], 2, axis=1).tobytes())


def _text(facts: Facts) -> str:
    names = list(CONTENDERS)
    lines = [f"{facts['minutes']:g} minutes, {facts['hits']} hits, {facts['fps']:g} fps"]
    lines.append(f"{'':20s}" + "".join(f"{name:>12s}" for name in names))
    for key in facts["ours"]:
        lines.append(f"{key:20s}" + "".join(f"{facts[name][key]!s:>12s}" for name in names))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
