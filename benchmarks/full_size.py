"""A clip of the published size on the device at hand, against what that device can do.

    python -m benchmarks.full_size [--device cuda] [--dtype bf16] [--t2v DIR] [--size PX] [--frames N]
        [--steps N] [--compile] [--json]

Without `--t2v` a text-to-video model of ModelScope's size (UNet of 1.4 G parameters) with random weights is
written to a temporary folder first, 8 GB; speed does not depend on what weights say.

    seconds          of text, sampling and VAE decode, median over the runs after the first
    first_seconds    of the first run, which pays for first-time work
    unet_tflop       of one step, both branches of guidance, counted by PyTorch
    tflop_per_second of sampling; `matrix_tflop_per_second` is what large matrix products reach in the same
                     precision on the same device, measured in the same run, and `share` the ratio of the two
    peak_bytes       of memory: allocated on a GPU, resident on a CPU
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from a2v_core.backbones import DTYPES, Backbone, CompiledBlocks, load_t2v, require, to_device
from a2v_core.errors import A2VError
from a2v_core.pipeline import MemoryManager, VideoPipeline, VideoRequest
from a2v_core.prompts import ContextBatch
from a2v_core.sampling import SampleSettings

from .clip import Laps
from .machine import describe_machine, resident_bytes
from .mid_model import MID, Sizes, write_models

FULL = Sizes(
    unet={
        **MID.unet,
        "sample_size": 32,
        "block_out_channels": (320, 640, 1280, 1280),
        "attention_head_dim": 64,
        "norm_num_groups": 32,
    },
    vae={**MID.vae, "block_out_channels": (128, 256, 512, 512), "sample_size": 256},
    text_encoder={**MID.text_encoder, "num_hidden_layers": 23},
)
PROMPT = "a video of a drum"


@torch.no_grad()
def measure(
    folder: Path,
    device: torch.device,
    dtype: str,
    settings: SampleSettings,
    runs: int,
    compiled: bool = False,
) -> dict[str, Any]:
    """Everything the command prints, ready for JSON. A2VError for a model that can't be loaded."""
    backbone = load_t2v(folder, dtype)
    to_device(backbone, device)
    denoiser = backbone.parts()["denoiser"][0]
    tflop = (
        count_flop(backbone, settings) / 1e12
    )  # of layers that are not compiled: PyTorch sees into those only
    if compiled:
        require(backbone, CompiledBlocks, "--compile").compile_blocks()
    clock = device_clock(device)
    laps = [make_clip(backbone, settings, Laps(clock)) for _ in range(runs)]
    later = laps[1:] or laps
    seconds = {stage: statistics.median(lap.seconds[stage] for lap in later) for stage in later[0].seconds}
    reached = tflop * settings.steps / seconds["sampling"]
    possible = matrix_rate(device, DTYPES[dtype]) / 1e12
    parameters = sum(p.numel() for p in denoiser.parameters())
    return {
        "machine": describe_machine() | {"device": _name(device)},
        "dtype": dtype,
        "compiled": compiled,
        "clip": {"frames": settings.num_frames, "size": settings.width, "steps": settings.steps},
        "unet_parameters": parameters,
        "seconds": seconds | {"clip": statistics.median(lap.total for lap in later)},
        "first_seconds": laps[0].total,
        "unet_tflop": tflop,
        "tflop_per_second": reached,
        "matrix_tflop_per_second": possible,
        "share": reached / possible,
        "peak_bytes": torch.cuda.max_memory_allocated(device)
        if device.type == "cuda"
        else resident_bytes()[1],
    }


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Floating point operations per second of the best of ten square matrix products."""
    side = 8192 if device.type == "cuda" else 1024
    a = torch.randn(side, side, device=device).to(dtype)
    clock, best = device_clock(device), float("inf")
    for _ in range(10):
        start = clock()
        a @ a
        best = min(best, clock() - start)
    return float(2 * side**3 / best)


def make_clip(
    backbone: Backbone, settings: SampleSettings, laps: Laps, memory: MemoryManager | None = None
) -> Laps:
    """A clip of text alone, in stages."""
    pipeline, request = VideoPipeline(backbone, memory), VideoRequest(PROMPT, settings=settings)
    contexts = pipeline.encode(request)
    laps.lap("text")
    latents = pipeline.sample(request, contexts)
    laps.lap("sampling")
    pipeline.decode_all(request, latents)
    laps.lap("VAE decode")
    return laps


def count_flop(backbone: Backbone, settings: SampleSettings) -> int:
    """Floating point operations of one step, both branches of guidance, by PyTorch's count."""
    latents = torch.zeros(settings.grid(backbone.spec).shape)
    text = backbone.encode_prompt(PROMPT, None, settings.num_frames)
    counter = FlopCounterMode(display=False)
    with counter:
        backbone.denoise(latents, torch.tensor(500), ContextBatch.of([text, text]))
    return int(counter.get_total_flops())


def device_clock(device: torch.device) -> Callable[[], float]:
    """Seconds on the wall, read when the device has done its work."""

    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    return now


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def as_text(facts: dict[str, Any]) -> str:
    """The report for people."""
    clip, seconds = facts["clip"], facts["seconds"]
    way = facts["dtype"] + (", compiled" if facts["compiled"] else "")
    return "\n".join(
        [
            f"{facts['machine']['device']}, {way}, UNet of {facts['unet_parameters'] / 1e9:.2f} G "
            f"parameters, {clip['frames']} frames of {clip['size']} x {clip['size']}, {clip['steps']} steps, "
            "guidance",
            ", ".join(f"{stage} {value:.2f} s" for stage, value in seconds.items())
            + f" (the first run {facts['first_seconds']:.2f} s)",
            f"{facts['unet_tflop']:.2f} TFLOP a step, {facts['tflop_per_second']:.2f} TFLOP/s in sampling, "
            f"{100 * facts['share']:.0f} % of the {facts['matrix_tflop_per_second']:.2f} TFLOP/s of matrix "
            "products",
            f"peak memory {facts['peak_bytes'] / 2**30:.2f} GiB",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.full_size",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="bf16")
    parser.add_argument("--t2v", type=Path, metavar="DIR", help="your own text-to-video model")
    parser.add_argument("--size", type=int, default=384, metavar="PX")
    parser.add_argument("--frames", type=int, default=24, metavar="N")
    parser.add_argument("--steps", type=int, default=25, metavar="N")
    parser.add_argument("--runs", type=int, default=4, metavar="N", help="the first is a warm-up")
    parser.add_argument("--compile", action="store_true", help="the UNet's blocks through torch.compile")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        settings = SampleSettings(
            options.steps, width=options.size, height=options.size, num_frames=options.frames
        )
        with tempfile.TemporaryDirectory(prefix="a2v-full-") as name:
            folder = options.t2v or write_models(Path(name) / "models", FULL).t2v
            facts = measure(
                folder,
                torch.device(options.device),
                options.dtype,
                settings,
                options.runs,
                options.compile,
            )
    except A2VError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(facts, indent=2) if options.json else as_text(facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
