"""Long videos: what a frame costs, what memory grows to, and whether sound still moves the picture.

    python -m benchmarks.long_video [--only cost,memory,quality] [--scenes N] [--steps N] [--json]

With the models that ship with the pack, on the CPU, in one run; so ratios hold where seconds do not.

cost     seconds per frame from sound to mp4, 24 frames against 240, every length `--runs` times in turn
memory   peak of a process of its own that goes from sound to mp4, for 24, 240 and 960 frames
quality  scenes of 480 frames of the demo world, cut into pieces of 24, 48, 96 and 240 frames: the same sounds
         and events at every length (--frames 240 takes half as long; its last piece of 96 is one of 48).
         Event recall and precision (leaps within a frame of a hit), AV-Align (`reference`, matches and peaks
         of all pieces counted together), and the flow where windows begin and end against elsewhere, away
         from events. At 240 frames also: the model as it is on all frames (naive), whole-model windows, and
         clips of 24 frames glued together
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2v_core.audio import Waveform
from a2v_core.audio.overlap import encode_overlapping
from a2v_core.demo import demo_path
from a2v_core.metrics import AVAlignResult, av_align
from a2v_core.tokens.long_class import pool_long
from a2v_core.video import SampleSettings
from a2v_core.video.long import sample_long
from a2v_core.video.stream import stream_video
from a2v_core.video.windows import LongSettings, make_windows
from training.demo_world.look import look, matched
from training.demo_world.sounds import SAMPLE_RATE, render_sound
from training.demo_world.world import FPS, NUM_FRAMES, Scene, random_scene

from .clip import BEATS_STEP_MS, ModelFiles, Models, load_models
from .machine import describe_machine, resident_bytes

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("cost", "memory", "quality")
LENGTHS = (24, 48, 96, 240)
LONGEST = 960
SCENE_FRAMES = 480  # a multiple of every length
WINDOWED = LongSettings()
OTHERS: dict[str, LongSettings | None] = {"naive": None, "whole-model windows": LongSettings(mode="model")}
GLUED = "clips of 24, glued"
EVENT_REACH = 2  # frames around a hit that say nothing about seams


def demo_models() -> Models:
    """The bundled models."""
    return load_models(ModelFiles(demo_path("beats"), demo_path("mapper"), demo_path("t2v")))[0]


def sample_video(
    models: Models, sound: np.ndarray, frames: int, long: LongSettings | None, steps: int, seed: int = 0
) -> Tensor:
    """Latents [F, 4, h, w] that follow `sound` [N] at the demo world's rate, as the nodes make them."""
    mapper, backbone = models.mapper, models.backbone
    hop_divisor = BEATS_STEP_MS // int(mapper.config.facts.get("hop_ms", BEATS_STEP_MS))
    features = encode_overlapping(models.beats, torch.from_numpy(sound)[None, None], SAMPLE_RATE, hop_divisor)
    tokens = pool_long(mapper, mapper.frame_tokens(features, frames, FPS))
    prompt = "a video of " + " ".join(f"<{word}>" for word in mapper.config.words)
    size = models.native_size
    settings = SampleSettings(steps, 3.0, seed=seed, width=size, height=size, num_frames=frames)
    contexts = backbone.encode_prompt(prompt, tokens, frames), backbone.encode_prompt("", None, frames)
    return sample_long(backbone, *contexts, settings, long)[0].movedim(0, 1)


def make_mp4(models: Models, sound: np.ndarray, frames: int, steps: int, target: Path) -> None:
    """Sound to mp4, streamed."""
    latents = sample_video(models, sound, frames, WINDOWED, steps)
    stream_video(target, models.backbone, latents, FPS, Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE))


def scene_of(number: int, frames: int) -> tuple[Scene, np.ndarray]:
    """Scene and sound `number`, whose hits keep away from the ends of all pieces as they do in training."""
    rng = np.random.default_rng([97, number])
    scene = random_scene(rng, num_frames=frames)
    while not scene.hits:
        scene = random_scene(rng, num_frames=frames)
    kept = tuple(hit for hit in scene.hits if 2 <= round(hit.time * FPS) % NUM_FRAMES <= NUM_FRAMES - 3)
    scene = replace(scene, hits=kept)
    return scene, render_sound(scene, rng)


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


class Tally:
    """Counts over the videos of one method and length."""

    def __init__(self) -> None:
        self.hits = self.found = self.true = self.objects = self.clips = 0
        self.together = self.peaks = 0
        self.at_borders: list[float] = []
        self.elsewhere: list[float] = []

    def add(self, frames: Tensor, scene: Scene, sound: np.ndarray, borders: set[int]) -> None:
        """Counts a video [F, H, W, 3]; `borders` are frames with which a window or clip begins."""
        events = [round(hit.time * FPS) for hit in scene.hits]
        seen = look(frames.numpy())
        self.clips += 1
        self.objects += (seen.colour, seen.shape) == (scene.colour, scene.shape)
        self.hits += matched(seen.leaps, events)
        self.found += len(seen.leaps)
        self.true += len(events)
        result = av_align(frames, FPS, Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE))
        self._count(result)
        near = {event + by for event in events for by in range(-EVENT_REACH, EVENT_REACH + 3)}
        for number, flow in enumerate(result.flow):  # from frame number - 1 to frame number
            if number and number not in near:
                (self.at_borders if number in borders else self.elsewhere).append(float(flow))

    def _count(self, result: AVAlignResult) -> None:
        self.together += len(result.matches)
        self.peaks += len(result.audio_peaks) + len(result.video_peaks)

    def summary(self) -> dict[str, float | None]:
        """The numbers of the module docstring."""
        union = self.peaks - self.together
        seam = None
        if self.at_borders:
            seam = statistics.fmean(self.at_borders) / max(1e-9, statistics.fmean(self.elsewhere))
        return {
            "clips": self.clips,
            "events": self.true,
            "event_recall": self.hits / max(1, self.true),
            "event_precision": self.hits / max(1, self.found),
            "av_align": self.together / union if union else None,
            "object_accuracy": self.objects / max(1, self.clips),
            "seam_flow_ratio": seam,
        }


def measure_quality(
    models: Models,
    scenes: int,
    steps: int,
    scene_frames: int = SCENE_FRAMES,
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Sound against picture at every length, and the other ways to 240 frames."""
    ways: list[tuple[str, int, LongSettings | None]] = [
        (f"{length} frames", length, WINDOWED) for length in LENGTHS
    ]
    ways += [(name, LENGTHS[-1], long) for name, long in OTHERS.items()]
    tallies = {name: Tally() for name in [*(name for name, _, _ in ways), GLUED]}
    for number in range(scenes):
        scene, sound = scene_of(number, scene_frames)
        clips: list[Tensor] = []
        for name, length, long in ways:
            for piece, part in cut(scene, sound, length):
                latents = sample_video(models, part, piece.num_frames, long, steps, seed=number)
                frames = models.backbone.decode(latents, NUM_FRAMES)
                tallies[name].add(frames, piece, part, window_borders(len(frames)))
                clips += [frames] if length == NUM_FRAMES else []
            tell(f"scene {number + 1} of {scenes}, {name}: {json.dumps(tallies[name].summary())}")
        glued = torch.cat(clips)
        for at, (piece, part) in enumerate(cut(scene, sound, LENGTHS[-1])):
            frames = glued[at * LENGTHS[-1] :][: piece.num_frames]
            tallies[GLUED].add(frames, piece, part, clip_borders(len(frames)))
    found = {name: tally.summary() for name, tally in tallies.items()}
    base = found[f"{NUM_FRAMES} frames"]
    return {
        "scenes": scenes,
        "steps": steps,
        "by_length": {str(length): found[f"{length} frames"] for length in LENGTHS},
        "at_240": {name: found[name] for name in (*OTHERS, GLUED)},
        "recall_240_over_24": (found["240 frames"]["event_recall"] or 0) / (base["event_recall"] or 1),
        "av_align_240_over_24": (found["240 frames"]["av_align"] or 0) / (base["av_align"] or 1),
    }


def cut(scene: Scene, sound: np.ndarray, length: int) -> list[tuple[Scene, np.ndarray]]:
    """The scene and its sound in pieces of `length` frames."""
    pieces = []
    for start in range(0, scene.num_frames, length):
        hits = [replace(hit, time=hit.time - start / FPS) for hit in scene.hits]
        inside = tuple(hit for hit in hits if 0 <= round(hit.time * FPS) < length)
        samples = slice(round(start / FPS * SAMPLE_RATE), round((start + length) / FPS * SAMPLE_RATE))
        pieces.append((replace(scene, duration=length / FPS, hits=inside), sound[samples].astype(np.float32)))
    return pieces


def window_borders(frames: int) -> set[int]:
    """Frames with which a window begins, or that follow one's end; none in a video of one window."""
    if frames <= NUM_FRAMES:
        return set()
    index = make_windows(frames, NUM_FRAMES, WINDOWED.resolved(NUM_FRAMES).stride).index
    return {int(window[0]) for window in index[1:]} | {int(window[-1]) + 1 for window in index[:-1]}


def clip_borders(frames: int) -> set[int]:
    """Frames with which another clip begins."""
    return set(range(NUM_FRAMES, frames, NUM_FRAMES))


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
            f"{'':24}{'recall':>8}{'precision':>11}{'AV-Align':>10}{'object':>8}{'seam':>7}{'events':>8}",
        ]
        rows = {f"{length} frames": row for length, row in quality["by_length"].items()}
        rows |= {
            f"240, {name}": row for name, row in quality["at_240"].items() if name != "windowed attention"
        }
        for name, row in rows.items():
            seam = "-" if row["seam_flow_ratio"] is None else f"{row['seam_flow_ratio']:.2f}"
            lines.append(
                f"{name:24}{row['event_recall']:8.3f}{row['event_precision']:11.3f}"
                f"{row['av_align'] or 0:10.3f}{row['object_accuracy']:8.2f}{seam:>7}{row['events']:8.0f}"
            )
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
            lambda line: print(line, file=sys.stderr, flush=True),
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
