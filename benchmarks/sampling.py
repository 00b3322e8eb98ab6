"""The sampler against what users would run instead, stage by stage, on the CPU, in one run.

    python -m benchmarks.sampling [--model demo|mid] [--frames N] [--steps N] [--lora-steps N] [--runs N]
        [--clock cpu] [--json]

Contestants take turns on the same weights, prompts, first noise, scheduler, steps and size:

    diffusers         its TextToVideoSDPipeline, text only (it knows no sound)
    ours, text        this library, exact mode, the same text
    published         a loop that does what the published inference does, with the words of a sound
    ours, exact       this library, exact mode, with the words of the same sound
    ours, again       the same with another seed: what a second run costs
    ours, fast        the speed mode "fast"
    ours, few steps   the speed mode "few_steps"
    ours, LoRA        with the demo's few-step LoRA: --lora-steps steps, scheduler lcm, no guidance, bf16.
                      For other models, which have none here, what such a LoRA would cost

The frames of the exact mode have to equal those of its peer to within 0.005, or the command fails.
`exact_speedup` is diffusers / ours (text), whole clip, medians; `fast_speedup`, `few_steps_mode_speedup` and
`few_step_speedup` are ours exact / ours fast, few steps and LoRA, whole clip; `..._psnr_db` compare frames
with those of the exact mode. `one_thread` has the same ratios with one thread, the others are with all.

--clock cpu counts the processor time of this process instead of the time on the wall, for machines that
are busy with other things; with one thread the two are the same on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from a2v_core.backbones import Backbone, load_t2v
from a2v_core.backbones.lora import merge_lora
from a2v_core.demo import demo_path
from a2v_core.errors import A2VError
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.sampling import SampleSettings
from a2v_core.tokens import AudioTokens

from .clip import Laps
from .machine import describe_machine
from .peers import Clip, DiffusersPipeline, PublishedLoop

TOLERANCE = 0.005  # of frames in 0..1
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}
TEXT = "a video of a red ball bouncing"
SOUND = "a video of <temp> <local1> <local2> <local3> <local4> <class>"
STAGES = ("load", "text", "sampling", "VAE decode", "clip")
_FACTS = ("fast_psnr_db", "few_steps_mode_psnr_db", "few_step_psnr_db", "second_run_overhead_seconds")
RATIOS = (
    "exact_speedup",
    "published_speedup",
    "fast_speedup",
    "few_steps_mode_speedup",
    "few_step_speedup",
)


class Ours:
    """This library in one speed mode; prompts are remembered from run to run, as in the node."""

    def __init__(self, backbone: Backbone, speed: str) -> None:
        self._pipeline, self._speed = VideoPipeline(backbone), speed

    @torch.no_grad()
    def make(self, clip: Clip, tokens: AudioTokens | None, laps: Laps) -> Tensor:
        """Frames [F, H, W, 3]."""
        settings = SampleSettings(
            clip.steps,
            clip.guidance_scale,
            clip.scheduler,
            clip.seed,
            clip.pixels,
            clip.pixels,
            clip.num_frames,
            self._speed,
        )
        request = VideoRequest(clip.prompt, tokens, settings=settings).resolved(self._pipeline.spec)
        contexts = self._pipeline.encode(request)
        laps.lap("text")
        latents = self._pipeline.sample(request, contexts)
        laps.lap("sampling")
        decoded = self._pipeline.decode_all(request, latents)
        laps.lap("VAE decode")
        return decoded


def measure(
    folder: Path, runs: int, frames: int, steps: int, size: int = 0, clock: str = "wall", lora_steps: int = 2
) -> dict[str, Any]:
    """Everything the command prints, ready for JSON; times in seconds. A2VError when frames differ."""
    backbone = load_t2v(folder)
    pixels = size or backbone.spec.native_size[0]
    tokens = _tokens(backbone.spec.word_width, frames)
    pipeline, published = DiffusersPipeline(folder), PublishedLoop(folder)
    ours = {speed: Ours(backbone, speed) for speed in ("exact", "fast", "few_steps")}
    distilled, has_lora = backbone, folder == demo_path("t2v")
    if has_lora:
        distilled = load_t2v(folder)
        merge_lora(distilled.parts()["denoiser"][0], demo_path("few_steps"))
    few = Ours(distilled, "bf16")

    def clip(prompt: str, seed: int = 0) -> Clip:
        grid = backbone.spec.grid(frames, pixels, pixels)
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(grid.shape, generator=generator)
        return Clip(prompt, seed, noise, steps, 3.0, "dpmpp_2m", pixels)

    contestants: dict[str, Callable[[Laps], Tensor]] = {
        "diffusers": lambda laps: pipeline.make(clip(TEXT), laps),
        "ours, text": lambda laps: Ours(backbone, "exact").make(clip(TEXT), None, laps),
        "published": lambda laps: published.make(clip(SOUND), tokens, laps),
        "ours, exact": lambda laps: Ours(backbone, "exact").make(clip(SOUND), tokens, laps),
        "ours, again": lambda laps: ours["exact"].make(clip(SOUND, 1), tokens, laps),
        "ours, fast": lambda laps: ours["fast"].make(clip(SOUND), tokens, laps),
        "ours, few steps": lambda laps: ours["few_steps"].make(clip(SOUND), tokens, laps),
        "ours, LoRA": lambda laps: few.make(
            replace(clip(SOUND), steps=lora_steps, guidance_scale=1.0, scheduler="lcm"), tokens, laps
        ),
    }
    made: dict[str, Tensor] = {}
    laps: dict[str, list[Laps]] = {name: [] for name in contestants}
    for run in range(runs):
        for name, make in contestants.items():
            stopwatch = Laps(CLOCKS[clock])
            made[name] = make(stopwatch)
            if run > 0 or runs == 1:  # the first round pays for first-time work
                laps[name].append(stopwatch)
    differences = {
        "diffusers": _difference(made["diffusers"], made["ours, text"]),
        "published": _difference(made["published"], made["ours, exact"]),
    }
    for name, difference in differences.items():
        if difference > TOLERANCE:
            raise A2VError(f"The frames of {name} and of exact mode differ by {difference:.4f}: a bug")
    times = {name: _stages(some) for name, some in laps.items()}
    middle = {name: stages["clip"]["median"] for name, stages in times.items()}
    exact = made["ours, exact"]
    return {
        "machine": describe_machine(),
        "clock": clock,
        "clip": {
            "frames": frames,
            "size": pixels,
            "steps": steps,
            "lora_steps": lora_steps,
            "runs": max(1, runs - 1),
        },
        "times": times,
        "largest_difference": differences,
        "exact_speedup": middle["diffusers"] / middle["ours, text"],
        "published_speedup": middle["published"] / middle["ours, exact"],
        "fast_speedup": middle["ours, exact"] / middle["ours, fast"],
        "fast_psnr_db": psnr(made["ours, fast"], exact),
        "few_steps_mode_speedup": middle["ours, exact"] / middle["ours, few steps"],
        "few_steps_mode_psnr_db": psnr(made["ours, few steps"], exact),
        "few_step_speedup": middle["ours, exact"] / middle["ours, LoRA"],
        "few_step_psnr_db": psnr(made["ours, LoRA"], exact) if has_lora else None,
        "second_run_overhead_seconds": middle["ours, again"]
        - times["ours, again"]["sampling"]["median"]
        - times["ours, again"]["VAE decode"]["median"],
    }


def with_one_thread(measured: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `measured` gives with all threads, and its ratios with one as `one_thread` where all are more."""
    facts, threads = measured(), torch.get_num_threads()
    if threads > 1:
        torch.set_num_threads(1)
        try:
            alone = measured()
        finally:
            torch.set_num_threads(threads)
        facts["one_thread"] = {key: alone[key] for key in RATIOS}
    return facts


def psnr(frames: Tensor, reference: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of frames in 0..1; infinite for equal ones."""
    return float(-10 * torch.log10((frames.double() - reference.double()).square().mean()))


def as_text(facts: dict[str, Any]) -> str:
    """The report for people."""
    machine, clip = facts["machine"], facts["clip"]
    lines = [
        f"machine  {machine['processor']}, {machine['threads']} threads, torch {machine['torch']}",
        f"clip     {clip['frames']} frames of {clip['size']} x {clip['size']}, {clip['steps']} steps, "
        f"guidance; {clip['runs']} runs, {facts['clock']} clock",
        "",
        f"{'seconds, min / median / max':17}" + "".join(f"{stage:>24}" for stage in STAGES),
    ]
    for name, stages in facts["times"].items():
        cells = [
            " / ".join(f"{stages[stage][key]:.2f}" for key in ("min", "median", "max"))
            if stage in stages
            else ""
            for stage in STAGES
        ]
        lines.append(f"{name:27}" + "".join(f"{cell:>24}" for cell in cells))
    differences = ", ".join(f"{name} {value:.1e}" for name, value in facts["largest_difference"].items())
    lines += ["", f"largest difference of a pixel in exact mode: {differences} (of 1)"]
    one = facts.get("one_thread", {})
    lines += [
        f"{key:28} {facts[key]:.2f}" + (f"  (one thread: {one[key]:.2f})" if key in one else "")
        for key in (*RATIOS, *_FACTS)
        if facts[key] is not None
    ]
    return "\n".join(lines)


def _tokens(width: int, frames: int) -> AudioTokens:
    """Audio tokens that differ from frame to frame, as large as a text encoder's embeddings."""
    generator = torch.Generator().manual_seed(0)
    words = ("temp", "local1", "local2", "local3", "local4", "class")
    return AudioTokens(
        {word: 0.02 * torch.randn(frames, width, generator=generator) for word in words}, fps=12.0
    )


def _difference(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


def _stages(runs: Sequence[Laps]) -> dict[str, dict[str, float]]:
    rows = [laps.seconds | {"clip": laps.total} for laps in runs]
    return {
        stage: {
            "min": min(row[stage] for row in rows),
            "median": statistics.median(row[stage] for row in rows),
            "max": max(row[stage] for row in rows),
        }
        for stage in rows[0]
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status, 1 when exact mode is not exact or for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sampling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", choices=("demo", "mid"), default="demo")
    parser.add_argument("--t2v", type=Path, metavar="DIR", help="your own text-to-video model")
    parser.add_argument("--frames", type=int, default=24, metavar="N")
    parser.add_argument("--steps", type=int, default=20, metavar="N")
    parser.add_argument("--lora-steps", type=int, default=2, metavar="N", help="with the LoRA (default: 2)")
    parser.add_argument("--size", type=int, default=0, metavar="PX", help="default: the UNet's")
    parser.add_argument(
        "--runs", type=int, default=4, metavar="N", help="the first is a warm-up (default: 4)"
    )
    parser.add_argument("--clock", choices=tuple(CLOCKS), default="wall")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="a2v-sampling-") as name:
            folder = model_folder(options, Path(name))
            facts = with_one_thread(
                lambda: measure(
                    folder,
                    options.runs,
                    options.frames,
                    options.steps,
                    options.size,
                    options.clock,
                    options.lora_steps,
                )
            )
    except A2VError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(facts, indent=2) if options.json else as_text(facts))
    return 0


def model_folder(options: argparse.Namespace, empty: Path) -> Path:
    """The model that `--t2v` or `--model` names; the mid-size one is written into `empty`."""
    if options.t2v is not None:
        return Path(options.t2v)
    if options.model == "demo":
        return demo_path("t2v")
    from .mid_model import write_models

    return write_models(empty / "models").t2v


if __name__ == "__main__":
    sys.exit(main())
