"""What each speed mode of the sampler costs and gives, on the demo world: `python -m benchmarks.modes
[--clips N] [--modes NAME,...] [--json]`.

Every mode makes a video of every held-out sound with the bundled models and the same first noise, 20 steps
and guidance; modes take turns, sound by sound. lora_2 and lora_4 are the bundled few-step LoRA with 2 and 4
steps, scheduler lcm, no guidance and bf16. Printed for each:

    speedup       sampling of exact mode / of this mode, processor time, sum over the sounds
    clip_speedup  the same with text, BEATs, mapper and VAE, which no mode changes
    psnr_db       its frames against those of exact mode, mean over the sounds
    av_align      published variant, mean over the sounds; chance is about 0.2
    object_accuracy, event_recall, event_precision   as in `training.demo_world.evaluate`
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from torch import Tensor

from a2v_core.errors import A2VError
from a2v_core.sampling import EXACT, SPEEDS, find_speed
from training.demo_world.demo import Demo
from training.demo_world.evaluate import PROMPT, score
from training.demo_world.held_out import held_out, visible_events
from training.demo_world.recognise import EventCounts, recognise

from .clip import Laps
from .machine import describe_machine
from .sampling import CLOCKS, psnr

LORA_STEPS = {"lora_2": 2, "lora_4": 4}
LORA_SCHEDULER = "lcm"
ABOUT = {
    **{name: speed.about for name, speed in SPEEDS.items()},
    **{name: f"few-step LoRA: {steps} steps, no guidance, bf16" for name, steps in LORA_STEPS.items()},
}


@dataclass
class Tally:
    """What was seen of one mode."""

    sampling: float = 0.0
    clip: float = 0.0
    psnr: list[float] = field(default_factory=list)
    av_align: list[float] = field(default_factory=list)
    right: int = 0
    events: EventCounts = field(default_factory=EventCounts)

    def numbers(self, exact: Tally, clips: int) -> dict[str, float | None]:
        """The numbers of the module docstring."""
        return {
            "sampling_seconds": self.sampling / clips,
            "speedup": exact.sampling / self.sampling,
            "clip_speedup": exact.clip / self.clip,
            "psnr_db": fmean(self.psnr) if self is not exact else None,
            "av_align": fmean(self.av_align) if self.av_align else None,
            "object_accuracy": self.right / clips,
            "event_recall": self.events.recall,
            "event_precision": self.events.precision,
        }


def measure(clips: int, modes: Sequence[str], steps: int = 20, guidance_scale: float = 3.0) -> dict[str, Any]:
    """Everything the command prints, ready for JSON. A2VError for an unknown mode."""
    names = list(dict.fromkeys((EXACT, *modes)))
    plain = Demo(steps, guidance_scale)
    demos = {name: _demo(name, plain) for name in names}
    tallies = {name: Tally() for name in names}
    for number in range(clips):
        scene, sound = held_out(number, "plain")
        reference: Tensor | None = None
        for name in names:
            tally = tallies[name]
            laps = Laps(CLOCKS["cpu"])
            frames = demos[name].video(PROMPT, sound, scene.num_frames, seed=number, on_stage_end=laps.lap)
            tally.sampling += laps.seconds["sampling"]
            tally.clip += laps.total
            reference = frames if reference is None else reference
            if name != EXACT:
                tally.psnr.append(psnr(frames, reference))
            aligned = score(frames, sound).score
            tally.av_align += [] if aligned is None else [aligned]
            seen = recognise(frames.numpy())
            tally.right += (seen.colour, seen.shape) == (scene.colour, scene.shape)
            tally.events.add(seen.leaps, visible_events(scene))
    exact = tallies[EXACT]
    return {
        "machine": describe_machine(),
        "clips": clips,
        "steps": steps,
        "guidance_scale": guidance_scale,
        "modes": {name: tally.numbers(exact, clips) for name, tally in tallies.items()},
    }


def _demo(mode: str, plain: Demo) -> Demo:
    """The models with the settings of a mode; those that need no other weights share them."""
    if mode in LORA_STEPS:
        return Demo(LORA_STEPS[mode], 1.0, "bf16", LORA_SCHEDULER, few_steps=True)
    find_speed(mode)
    demo = copy.copy(plain)
    demo.speed = mode
    return demo


def as_text(facts: dict[str, Any]) -> str:
    """The report for people, a Markdown table."""
    machine = facts["machine"]
    head = ("sampling", "clip", "PSNR", "AV-Align", "object", "recall", "precision")
    keys = ["speedup", "clip_speedup", "psnr_db", "av_align"]
    keys += ["object_accuracy", "event_recall", "event_precision"]
    lines = [
        f"{machine['processor']}, {machine['threads']} threads, torch {machine['torch']}; {facts['clips']} "
        f"sounds, {facts['steps']} steps, guidance {facts['guidance_scale']:g}",
        "",
        f"| mode | {' | '.join(head)} | what it leaves out |",
        "|---" * (len(head) + 2) + "|",
    ]
    for name, row in facts["modes"].items():
        cells = [_cell(key, row[key]) for key in keys]
        lines.append(f"| `{name}` | {' | '.join(cells)} | {ABOUT[name]} |")
    return "\n".join(lines)


def _cell(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    if key.endswith("speedup"):
        return f"{value:.1f}x"
    return f"{value:.1f} dB" if key == "psnr_db" else f"{value:.2f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.modes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--clips", type=int, default=32, metavar="N", help="held-out sounds (default: 32)")
    parser.add_argument("--modes", default=",".join(ABOUT), help="names, with commas (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        facts = measure(options.clips, options.modes.split(","))
    except A2VError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(facts, indent=2) if options.json else as_text(facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
