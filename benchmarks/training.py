"""A training step from the cache against the same step that decodes and encodes its clips, as published.

    python -m benchmarks.training [--steps N] [--batch N] [--frames N] [--size PX] [--json]
                                  [--t2v DIR] [--beats FILE]

The published trainer decodes the video and runs BEATs, VAE and text encoder at every step. Here
`training.precompute` has done the first three once; the text encoder stays in the step, because its input is
what is trained. Both run `training.fit` on the same clips with the same settings, in turns.

By default BEATs and the VAE have the published sizes and random weights, and the denoiser is small (6 million
parameters): the larger it is, the smaller is the share of the encoding. Memory is what a step of a very
small adapter adds to the loaded models, with and without gradient checkpointing.
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
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from a2v_core.audio import Waveform
from a2v_core.errors import A2VError
from a2v_core.media import write_video

from .machine import describe_machine, resident_bytes
from .mid_model import MID, write_models

ROOT = Path(__file__).resolve().parents[1]
UNET: dict[str, Any] = {
    "sample_size": 8,
    "down_block_types": ("CrossAttnDownBlock3D", "DownBlock3D"),
    "up_block_types": ("UpBlock3D", "CrossAttnUpBlock3D"),
    "block_out_channels": (64, 128),
    "layers_per_block": 1,
    "cross_attention_dim": 256,
    "attention_head_dim": 32,
    "norm_num_groups": 16,
}
# Stable Diffusion 1.x and ModelScope 1.7b.
VAE: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "latent_channels": 4,
    "norm_num_groups": 32,
    "scaling_factor": 0.18215,
}
TEXT_ENCODER: dict[str, Any] = {
    "hidden_size": 256,
    "intermediate_size": 1024,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "hidden_act": "gelu",
    "max_position_embeddings": 77,
}
FPS = 24.0
CLIPS = 4
CACHED: dict[str, Any] = {"cache": {"use": "always"}}
ENCODING: dict[str, Any] = {"cache": {"use": "never"}}
# An adapter so small that the activations of the UNet are what a step needs.
SMALL: dict[str, Any] = {"mapper": {"hidden_size": 32, "layers": [0]}}
MEMORY_RUNS: dict[str, dict[str, Any]] = {
    "checkpointing": {**CACHED, **SMALL, "run": {"gradient_checkpointing": True}},
    "no checkpointing": {**CACHED, **SMALL, "run": {"gradient_checkpointing": False}},
}


def compare(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The report, ready for JSON; `folder` takes models, clips and caches."""
    from training.cache.build import precompute
    from training.config import make_config

    values = _values(folder, options)
    precompute(make_config(values), progress=False)
    seconds, parameters = _step_seconds(values, options.steps)
    return {
        "speedup": seconds["encoding"] / seconds["cached"],
        "seconds_per_step": seconds,
        "steps_per_second": {name: 1 / value for name, value in seconds.items()},
        "memory_bytes": {} if options.no_memory else _memory(values),
        "unet_parameters": parameters,
        "job": {
            "batch": options.batch,
            "frames": options.frames,
            "size": options.size,
            "fps": FPS,
            "steps": options.steps,
        },
        "machine": describe_machine(),
    }


def _step_seconds(values: dict[str, Any], steps: int) -> tuple[dict[str, float], int]:
    """Median seconds of a step of each kind, taken in turns so that a busy machine slows both; UNet size."""
    from training.loop.trainer import Trainer

    runs = {"cached": CACHED, "encoding": ENCODING}
    trainers = {name: Trainer(_config(values, name, changes)) for name, changes in runs.items()}
    rows = {name: trainer.steps() for name, trainer in trainers.items()}
    spans: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(steps + 1):
        for name, row in rows.items():
            began = time.perf_counter()
            next(row)
            spans[name].append(time.perf_counter() - began)
    for trainer in trainers.values():
        trainer.close()
    parameters = sum(
        p.numel() for p in trainers["cached"].objective.backbone.parts()["denoiser"][0].parameters()
    )
    # The first step pays for first-time work.
    return {name: statistics.median(times[1:]) for name, times in spans.items()}, parameters


def _memory(values: dict[str, Any]) -> dict[str, int]:
    return {name: _memory_in_child(values, changes) for name, changes in MEMORY_RUNS.items()}


def _memory_in_child(values: dict[str, Any], changes: dict[str, Any]) -> int:
    """Bytes that a step adds to the loaded models, measured in a process of its own."""
    merged = _merged(values, "memory-" + str(changes["run"]["gradient_checkpointing"]), changes)
    command = [sys.executable, "-m", "benchmarks.training", "--child", json.dumps(merged)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return int(done.stdout.splitlines()[-1])


def _step_memory(values: dict[str, Any]) -> int:
    from training.config import make_config
    from training.loop.trainer import Trainer

    trainer = Trainer(make_config(values))
    # The very first step: later ones find memory that was given back to the process but not to the system.
    before = _start_of_memory()
    next(trainer.steps())
    trainer.close()
    return _peak_of_memory() - before


def _config(values: dict[str, Any], name: str, changes: dict[str, Any]) -> Any:
    from training.config import make_config

    return make_config(_merged(values, name, changes))


def _merged(values: dict[str, Any], name: str, changes: dict[str, Any]) -> dict[str, Any]:
    sections = {section: values.get(section, {}) | entries for section, entries in changes.items()}
    return values | sections | {"output_dir": f"{values['output_dir']}-{name}"}


def _values(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The config, with models and clips written where it says."""
    beats, t2v = options.beats, options.t2v
    if beats is None or t2v is None:
        mapper = replace(MID.mapper, output_size=TEXT_ENCODER["hidden_size"])
        sizes = replace(MID, unet=UNET, vae=VAE, text_encoder=TEXT_ENCODER, mapper=mapper)
        files = write_models(folder / "models", sizes)
        beats, t2v = beats or files.beats, t2v or files.t2v
    clips = folder / "clips"
    clips.mkdir()
    for number in range(CLIPS):
        _write_clip(clips / f"{number}.mp4", options.frames, options.size, number)
    return {
        "output_dir": str(folder / "run"),
        "models": {"beats": str(beats), "t2v": str(t2v)},
        "data": {
            "layout": "folder",
            "root": str(clips),
            "fps": FPS,
            "num_frames": options.frames,
            "width": options.size,
            "height": options.size,
            "test_share": 0.0,
        },
        "cache": {"dir": str(folder / "cache")},
        "run": {"steps": 10**6, "batch_size": options.batch, "workers": 0},
        "checkpoints": {"every": 10**6},
        "validation": {"every": 0},
        "logging": {"tensorboard": False},
    }


def _write_clip(path: Path, frames: int, size: int, seed: int) -> None:
    """Noise at 30 fps and 44.1 kHz, twice as long and twice as large as needed, as files are."""
    rng = np.random.default_rng(seed)
    seconds = 2 * frames / FPS
    small = torch.from_numpy(rng.random((round(30 * seconds), 3, 8, 8), dtype=np.float32))
    pictures = torch.nn.functional.interpolate(small, (2 * size, 2 * size), mode="bilinear")
    samples = torch.from_numpy(0.3 * rng.standard_normal((2, round(44100 * seconds)), dtype=np.float32))
    write_video(path, pictures.permute(0, 2, 3, 1).contiguous(), 30.0, Waveform(samples, 44100))


def _start_of_memory() -> int:
    """Bytes in use now; the peak is counted from here on where the system can."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    peak = Path("/proc/self/clear_refs")
    if peak.exists():
        peak.write_text("5")  # Linux: forget the largest resident size
    return resident_bytes()[0]


def _peak_of_memory() -> int:
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else resident_bytes()[1]


def as_text(facts: dict[str, Any]) -> str:
    """The report for people."""
    job, machine, memory = facts["job"], facts["machine"], facts["memory_bytes"]
    lines = [
        f"machine     {machine['processor']}, {machine['threads']} threads, torch {machine['torch']}",
        f"denoiser    {facts['unet_parameters'] / 1e6:.1f} M parameters",
        f"step        {job['batch']} clips of {job['frames']} frames, {job['size']} x {job['size']}",
        "",
    ]
    lines += [
        f"{name:26}{seconds:8.2f} s a step {1 / seconds:8.2f} steps a second"
        for name, seconds in facts["seconds_per_step"].items()
    ]
    lines += ["", f"speed-up by the cache       {facts['speedup']:.2f}"]
    lines += [
        f"memory of a step            {count / 2**20:.0f} MiB, {name}" for name, count in memory.items()
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status, 1 for bad input."""
    options = _parser().parse_args(arguments)
    if options.child is not None:
        print(_step_memory(json.loads(options.child)))
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="a2v-training-") as folder:
            facts = compare(Path(folder), options)
    except A2VError as error:
        if options.json:
            print(json.dumps({"error": str(error)}))
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(facts, indent=2) if options.json else as_text(facts))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--steps", type=int, default=5, metavar="N", help="measured steps (default: 5)")
    parser.add_argument("--batch", type=int, default=2, metavar="N", help="clips per step (default: 2)")
    parser.add_argument("--frames", type=int, default=24, metavar="N", help="frames of a clip (default: 24)")
    parser.add_argument(
        "--size", type=int, default=64, metavar="PX", help="side of the picture (default: 64)"
    )
    parser.add_argument("--t2v", type=Path, metavar="DIR", help="your own text-to-video model")
    parser.add_argument("--beats", type=Path, metavar="FILE", help="your own BEATs")
    parser.add_argument("--no-memory", action="store_true", help="do not measure memory")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
