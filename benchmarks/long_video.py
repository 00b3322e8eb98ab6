"""Long videos: what a frame costs, what memory grows to, and whether sound still moves the picture.

    python -m benchmarks.long_video [--only cost,memory,quality] [--scenes N] [--steps N] [--json]

With the models that ship with the pack, on the CPU, in one run; so ratios hold where seconds do not.

cost     seconds per frame from sound to mp4, 24 frames against 240, every length `--runs` times in turn
memory   peak of a process of its own that goes from sound to mp4, for 24, 240 and 960 frames
quality  scenes of 480 frames of the demo world, cut into pieces of 24, 48, 96 and 240 frames: the same sounds
         and events at every length (--frames 240 takes half as long; its last piece of 96 is one of 48).
         Event recall and precision (leaps within a frame of a hit), AV-Align (`reference`, of every 24
         frames, whatever the length they were made in, so that the metric's rules for ends are the same for
         all; `whole_av_align` of the videos as they are; matches and peaks of all counted together), and the
         flow where windows begin and end against elsewhere, in frames where the true video stands still
         (seam). At 240 frames also: the model as it is on all frames (naive), whole-model windows, and clips
         of 24 frames glued together. seam_flow_ratio is that of all videos of more than one window, and of
         one of silence per scene
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from a2v_core.audio import Waveform
from a2v_core.sampling import stream_video
from training.demo_world.sounds import SAMPLE_RATE
from training.demo_world.world import FPS

from .clip import Models
from .long_quality import (
    LENGTHS,
    SCENE_FRAMES,
    WINDOWED,
    demo_models,
    measure_quality,
    sample_video,
    scene_of,
)
from .machine import describe_machine, resident_bytes

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("cost", "memory", "quality")
LONGEST = 960


def make_mp4(models: Models, sound: np.ndarray, frames: int, steps: int, target: Path) -> None:
    """Sound to mp4, streamed."""
    latents = sample_video(models, sound, frames, WINDOWED, steps)
    stream_video(target, models.backbone, latents, FPS, Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE))


def measure_cost(models: Models, runs: int, steps: int = 4) -> dict[str, Any]:
    """Seconds per frame of a short and a long video, and how they compare in each round of both."""
    short, long = LENGTHS[0], LENGTHS[-1]
    sounds = {frames: scene_of(0, frames)[1] for frames in (short, long)}
    seconds: dict[int, list[float]] = {short: [], long: []}
    with tempfile.TemporaryDirectory(prefix="a2v-long-") as folder:
        target = Path(folder) / "video.mp4"
        make_mp4(models, sounds[short], short, 1, target)  # first-time work is nobody's
        for _ in range(runs):
            for frames, repeats in ((short, long // short), (long, 1)):
                start = time.process_time()
                for _ in range(repeats):  # as many frames of both, so that noise hits both alike
                    make_mp4(models, sounds[frames], frames, steps, target)
                seconds[frames].append((time.process_time() - start) / (repeats * frames))
    ratios = [many / few for few, many in zip(seconds[short], seconds[long], strict=True)]
    return {
        "seconds_per_frame": {str(frames): statistics.median(found) for frames, found in seconds.items()},
        "steps": steps,
        "runs": runs,
        "cost_per_frame_240_over_24": statistics.median(ratios),
    }


def measure_memory() -> dict[str, Any]:
    """Peak resident memory of processes that make a video each, in bytes by number of frames."""
    peaks = {}
    for frames in (LENGTHS[0], LENGTHS[-1], LONGEST):
        command = [sys.executable, "-m", "benchmarks.long_video", "--child", str(frames)]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        peaks[frames] = json.loads(done.stdout)
    return {
        "peak_bytes": {str(frames): found["peak"] for frames, found in peaks.items()},
        "loaded_bytes": peaks[LENGTHS[0]]["loaded"],
        "peak_memory_240_over_24": peaks[240]["peak"] / peaks[24]["peak"],
        "peak_memory_960_over_24": peaks[LONGEST]["peak"] / peaks[24]["peak"],
    }


def child(frames: int) -> dict[str, int]:
    """What `measure_memory` runs in a process of its own."""
    models = demo_models()
    loaded, _ = resident_bytes()
    with tempfile.TemporaryDirectory(prefix="a2v-long-") as folder:
        make_mp4(models, scene_of(0, frames)[1], frames, 2, Path(folder) / "video.mp4")
    return {"loaded": loaded, "peak": resident_bytes()[1]}


def as_text(facts: dict[str, Any]) -> str:
    """The report for people."""
    machine = facts["machine"]
    lines = [f"machine  {machine['processor']}, {machine['threads']} threads, torch {machine['torch']}"]
    if "cost" in facts:
        cost = facts["cost"]
        for frames, seconds in cost["seconds_per_frame"].items():
            lines.append(f"cost     {frames:>4} frames: {seconds:.4f} s per frame, {cost['steps']} steps")
        lines.append(f"cost per frame, 240 over 24 frames: {facts['cost_per_frame_240_over_24']:.2f}")
    if "memory" in facts:
        for frames, peak in facts["memory"]["peak_bytes"].items():
            lines.append(f"memory   {frames:>4} frames: {peak / 2**20:.0f} MiB at the peak")
        for key in ("peak_memory_240_over_24", "peak_memory_960_over_24"):
            lines.append(f"{key}: {facts[key]:.2f}")
    if "quality" in facts:
        quality = facts["quality"]
        lines += [
            "",
            f"{'':24}{'recall':>8}{'precision':>11}{'AV-Align':>10}{'whole':>8}{'(true)':>8}{'object':>8}{'seam':>7}"
            f"{'events':>8}",
        ]
        rows = {f"{length} frames": row for length, row in quality["by_length"].items()}
        rows |= {
            f"240, {name}": row for name, row in quality["at_240"].items() if name != "windowed attention"
        }
        for name, row in rows.items():
            seam = "-" if row["seam_flow_ratio"] is None else f"{row['seam_flow_ratio']:.2f}"
            lines.append(
                f"{name:24}{row['event_recall']:8.3f}{row['event_precision']:11.3f}"
                f"{row['av_align'] or 0:10.3f}{row['whole_av_align'] or 0:8.3f}"
                f"{row['ground_truth_av_align'] or 0:8.3f}"
                f"{row['object_accuracy']:8.2f}{seam:>7}{row['events']:8.0f}"
            )
        lines.append(f"seam_flow_ratio, all lengths above 24: {quality['seam_flow_ratio']:.2f}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _parser().parse_args(arguments)
    if options.child:
        print(json.dumps(child(options.child)))
        return 0
    wanted = options.only.split(",")
    facts: dict[str, Any] = {"machine": describe_machine()}
    models = demo_models()
    if "cost" in wanted:
        facts["cost"] = measure_cost(models, options.runs)
    if "memory" in wanted:
        facts["memory"] = measure_memory()
    if "quality" in wanted:
        facts["quality"] = measure_quality(
            models,
            options.scenes,
            options.steps,
            options.frames,
            tell=lambda line: print(line, file=sys.stderr, flush=True),
        )
    for part in ("cost", "memory"):
        facts |= {key: value for key, value in facts.get(part, {}).items() if "_over_" in key}
    print(json.dumps(facts, indent=2) if options.json else as_text(facts))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.long_video",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts (default: {','.join(PARTS)})")
    parser.add_argument("--scenes", type=int, default=4, help="scenes for quality (default: 4)")
    parser.add_argument(
        "--frames",
        type=int,
        choices=(240, 480),
        default=SCENE_FRAMES,
        help="frames of a scene (default: 480)",
    )
    parser.add_argument("--steps", type=int, default=20, help="sampling steps for quality (default: 20)")
    parser.add_argument("--runs", type=int, default=3, help="rounds for cost (default: 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--child", type=int, default=0, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
