"""python -m benchmarks.selftest_study [--clips N] [--fps ...] [--crf N] [--generated] [--json]: does it tell?

The self-test of AV-Align (`python -m a2v_core.metrics selftest`) on sets of clips whose truth is known: true
clips of the demo world, 4 s long, at two frame rates, also after a coarse H.264, and clips that the bundled
models made. A table of every set: how often a score puts a clip with its own sound above the same clip with
a wrong one.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from a2v_core.audio import Waveform
from a2v_core.media import write_video
from a2v_core.metrics import detect_motion, hear_sound, trusted_score
from a2v_core.metrics.selftest import DetectedClip, results_record, run_trials
from training.demo_world.demo import Demo
from training.demo_world.evaluate import PROMPT
from training.demo_world.sounds import SAMPLE_RATE
from training.demo_world.world import FPS

from .sets import FIRST_SEED, SETS, clip

SHOWN = ("reference", "trusted")


def main(arguments: list[str] | None = None) -> int:
    """Run the study and print it; exit code 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.selftest_study", description="What the scores of AV-Align tell."
    )
    parser.add_argument("--clips", type=int, default=60, help="of every set")
    parser.add_argument(
        "--fps", type=float, nargs="+", default=[12.0, 24.0], help="frame rates of true clips"
    )
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), metavar="NAME", help="sets")
    parser.add_argument("--crf", type=int, help="also write every clip as H.264 of this quality, and read it")
    parser.add_argument(
        "--generated", action="store_true", help="videos of the bundled models instead, at 12 fps"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    options = parser.parse_args(arguments)
    if options.clips < 2:
        parser.error("--clips must be 2 or more")
    found: dict[str, Any] = {}
    if options.generated:
        sets = [(name, FPS, generated(name, options.clips, options.crf)) for name in options.sets]
    else:
        sets = [
            (name, fps, true_clips(name, options.clips, fps, options.crf))
            for name in options.sets
            for fps in options.fps
        ]
    for name, fps, clips in sets:
        title = f"{name}, {fps:g} fps"
        found[title] = tried(list(clips))
        if not options.json:
            print(text_of(title, found[title]), flush=True)
    if options.json:
        print(json.dumps(found, indent=1))
    return 0


def tried(clips: list[DetectedClip]) -> dict[str, Any]:
    """The self-test's record of some clips, with the means of the trusted score and of its chance level."""
    results = [trusted_score(clip.motion, clip.sound) for clip in clips]
    scores = [result.score for result in results if result.score is not None]
    chances = [result.chance for result in results if result.chance is not None]
    return {
        "clips": len(clips),
        "undefined": len(clips) - len(scores),
        "trusted": float(np.mean(scores)),
        "trusted_chance": float(np.mean(chances)),
        "measures": results_record(run_trials(clips)),
    }


def true_clips(name: str, count: int, fps: float, crf: int | None) -> Iterator[DetectedClip]:
    """Clips of a set, as they are rendered or as a file of quality `crf` gives them back."""
    for number in range(count):
        frames, sound = clip(name, number, fps)
        yield detected(str(number), torch.from_numpy(frames), fps, sound, crf)


def generated(name: str, count: int, crf: int | None) -> Iterator[DetectedClip]:
    """Videos that the bundled models make of the sounds of a set, at 12 fps."""
    demo = Demo()
    for number in range(count):
        frames, sound = clip(name, number, FPS)
        video = demo.video(PROMPT, sound, len(frames), FIRST_SEED + number)
        print(f"{name}: {number + 1} of {count}", file=sys.stderr, flush=True)
        yield detected(str(number), video, FPS, sound, crf)


def detected(
    name: str, frames: torch.Tensor, fps: float, sound: np.ndarray[Any, Any], crf: int | None
) -> DetectedClip:
    """Motion and sound of a clip."""
    heard = hear_sound(Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE))
    if crf is None:
        return DetectedClip(name, detect_motion(frames, fps), heard)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_video(path, frames, fps, crf=crf)
        return DetectedClip(name, detect_motion(path), heard)


def text_of(title: str, record: dict[str, Any]) -> str:
    """A set's table: a line for each wrong sound."""
    lines = [
        "",
        f"{title}: {record['clips']} clips, {record['undefined']} undefined; trusted "
        f"{record['trusted']:.3f}, chance {record['trusted_chance']:.3f}",
    ]
    measures = record["measures"]
    for task in measures["trusted"]["perturbations"]:
        cells = []
        for measure in SHOWN:
            trials = measures[measure]["perturbations"][task]
            low, high = trials["interval"]
            share = f"{trials['accuracy']:.3f} ({low:.2f}-{high:.2f})"
            cells.append(f"{measure} {share} AUROC {trials['auroc']:.2f}")
        lines.append(f"  {task:24s}" + "   ".join(cells))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
