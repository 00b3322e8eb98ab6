"""What a clip needs in every way to store the text-to-video model: memory, time, and what is lost.

    python -m benchmarks.small_machines [--device cuda] [--model mid|demo | --t2v DIR] [--frames N]
        [--steps N] [--size PX] [--runs N] [--only "fp32; fp8"] [--clock cpu] [--json]

Every setting runs in a process of its own. On a GPU text encoder, UNet and VAE are on the device one after
the other, as ComfyUI keeps them.

    unet, weights    bytes of the UNet's weights, and of all weights
    loaded           resident memory of the process when the model is loaded; `loading` its peak until then
    peak             while the clip is made: resident on a CPU (Linux; elsewhere of the whole process),
                     allocated on a GPU
    seconds          per clip, median over the runs after the first
    psnr_db          frames against those of fp32

Settings: a dtype of `load_t2v`; "offload": the UNet's large weights wait in the CPU's memory; "in turn": the
branches of guidance run one after the other. On a CPU there is nothing to offload, and fp16 is left out
unless `--only` asks for it: most processors compute in it very slowly.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from a2v_core.backbones import load_t2v, networks
from a2v_core.errors import A2VError
from a2v_core.pipeline import InTurn, VideoPipeline, VideoRequest
from a2v_core.sampling import SampleSettings

from .clip import Laps
from .full_size import device_clock
from .machine import describe_machine, forget_peak, resident_bytes
from .sampling import CLOCKS, model_folder, psnr

ROOT = Path(__file__).resolve().parents[1]
PROMPT = "a video of a drum"
REFERENCE = "fp32"
DECODE_CHUNK = 1  # one frame at a time: what a small machine would choose


@dataclass(frozen=True)
class Setting:
    """A way to keep the model."""

    dtype: str
    offload: bool = False
    in_turn: bool = False


SETTINGS = {
    REFERENCE: Setting("fp32"),
    "fp16": Setting("fp16"),
    "bf16": Setting("bf16"),
    "fp8": Setting("fp8"),
    "fp8, in turn": Setting("fp8", in_turn=True),
    "bf16, offload": Setting("bf16", offload=True),
    "fp8, offload": Setting("fp8", offload=True),
    "fp8, offload, in turn": Setting("fp8", offload=True, in_turn=True),
}
_SIZES = ("unet", "weights", "loading", "loaded", "peak")


@dataclass(frozen=True)
class Job:
    """What a child makes; `size` 0 is the UNet's own."""

    t2v: str
    device: str
    frames: int
    steps: int
    size: int
    runs: int
    clock: str


def measure(job: Job, only: Sequence[str] = (), tell: Callable[[str], None] = print) -> dict[str, Any]:
    """Everything the command prints, ready for JSON. A2VError when a setting is unknown or its child fails.

    `tell` hears the name of every setting before it runs.
    """
    on_cpu = torch.device(job.device).type == "cpu"
    possible = [name for name, setting in SETTINGS.items() if not (setting.offload and on_cpu)]
    if unknown := set(only) - set(possible):
        raise A2VError(f"No setting {', '.join(sorted(unknown))} here: choose from {'; '.join(possible)}")
    names = only or [name for name in possible if not (on_cpu and SETTINGS[name].dtype == "fp16")]
    rows, frames = {}, {}
    with tempfile.TemporaryDirectory(prefix="a2v-small-") as folder:
        for name in names:
            tell(name)
            target = Path(folder) / "frames.npy"
            rows[name] = _in_child(job, SETTINGS[name], target)
            frames[name] = torch.from_numpy(np.load(target))
    if REFERENCE in frames:
        for name in rows:
            if name != REFERENCE:
                rows[name]["psnr_db"] = psnr(frames[name], frames[REFERENCE])
    return {"machine": describe_machine(), "job": asdict(job), "settings": rows}


def _in_child(job: Job, setting: Setting, target: Path) -> dict[str, Any]:
    request = json.dumps([asdict(job), asdict(setting), str(target)])
    command = [sys.executable, "-m", "benchmarks.small_machines", "--child", request]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise A2VError(f"{setting}: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def child(job: Job, setting: Setting, target: Path) -> dict[str, Any]:
    """What `measure` runs in a process of its own; frames [F, H, W, 3] go to `target`."""
    device = torch.device(job.device)
    backbone = load_t2v(job.t2v, setting.dtype)
    parts = networks(backbone)
    (unet,) = backbone.parts()["denoiser"]
    loaded, loading = resident_bytes()
    forget_peak()
    side = job.size or backbone.spec.native_size[0]
    settings = SampleSettings(
        job.steps,
        4.0,
        width=side,
        height=side,
        num_frames=job.frames,
        batch_guidance=not setting.in_turn,
    )
    pipeline = VideoPipeline(backbone, InTurn(backbone, device, offload=setting.offload))
    request = VideoRequest(PROMPT, settings=settings, decode_chunk=DECODE_CHUNK)
    clock = device_clock(device) if device.type == "cuda" else CLOCKS[job.clock]
    seconds = []
    for _ in range(job.runs):
        laps = Laps(clock)
        frames = pipeline.generate(request).frames
        laps.lap("clip")
        seconds.append(laps.total)
    np.save(target, frames.numpy())
    on_gpu = device.type == "cuda"
    return {
        "unet": _bytes(unet),
        "weights": sum(_bytes(part) for part in parts),
        "loaded": loaded,
        "loading": loading,
        "peak": torch.cuda.max_memory_allocated(device) if on_gpu else resident_bytes()[1],
        "seconds": statistics.median(seconds[1:] or seconds),
    }


def _bytes(module: nn.Module) -> int:
    return sum(t.numel() * t.element_size() for t in (*module.parameters(), *module.buffers()))


def as_text(facts: dict[str, Any]) -> str:
    """The report for people: a table, sizes in MiB."""
    job, machine = facts["job"], facts["machine"]
    lines = [
        f"machine  {machine['processor']}, {machine['threads']} threads, torch {machine['torch']}; "
        f"on {job['device']}",
        f"clip     {job['frames']} frames, {job['steps']} steps, guidance; {job['clock']} clock, MiB",
        "",
    ]
    lines.append(f"{'':22}" + "".join(f"{key:>9}" for key in (*_SIZES, "seconds", "psnr_db")))
    for name, row in facts["settings"].items():
        sizes = "".join(f"{row[key] / 2**20:>9.0f}" for key in _SIZES)
        loss = f"{row['psnr_db']:>9.1f}" if "psnr_db" in row else ""
        lines.append(f"{name:22}{sizes}{row['seconds']:>9.2f}{loss}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    if options.child:
        job, setting, target = json.loads(options.child)
        print(json.dumps(child(Job(**job), Setting(**setting), Path(target))))
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="a2v-small-") as name:
            job = Job(
                str(model_folder(options, Path(name)).resolve()),
                options.device,
                options.frames,
                options.steps,
                options.size,
                options.runs,
                options.clock,
            )
            only = [name.strip() for name in options.only.split(";") if name.strip()]
            facts = measure(job, only, lambda name: print(name, file=sys.stderr, flush=True))
    except A2VError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(facts, indent=2) if options.json else as_text(facts))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.small_machines",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--model", choices=("demo", "mid"), default="mid")
    parser.add_argument("--t2v", type=Path, metavar="DIR", help="your own text-to-video model")
    parser.add_argument("--frames", type=int, default=24, metavar="N")
    parser.add_argument("--steps", type=int, default=10, metavar="N")
    parser.add_argument("--size", type=int, default=0, metavar="PX", help="default: the UNet's")
    parser.add_argument("--runs", type=int, default=2, metavar="N", help="the first is a warm-up")
    parser.add_argument("--only", default="", metavar="NAMES", help="some settings, with ; between them")
    parser.add_argument("--clock", choices=tuple(CLOCKS), default="wall")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
