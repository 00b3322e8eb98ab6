"""Seconds per clip of the main job, sound -> mp4, stage by stage, on the CPU.

    python -m benchmarks.stages [--model demo|mid] [--frames N] [--steps N] [--size PX] [--runs N] [--json]

`demo` is what ships with the pack. `mid` is built in a temporary folder from random weights: BEATs and
AudioMapper of the published sizes and a denoiser of about 100 M parameters (see `mid_model.py`). --beats,
--mapper and --t2v put your own files in the place of any of the three. The sound is generated, as long as the
clip: noise bursts, 44.1 kHz stereo.

Loading is timed apart. A clip of one step goes ahead unmeasured, so that no run pays for first-time work.
Peak memory is that of this process over everything, loading included. The number of threads is torch's
(OMP_NUM_THREADS).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from a2v_core.demo import demo_path
from a2v_core.errors import A2VError

from .clip import STAGES, Job, Laps, ModelFiles, Models, load_models, make_clip
from .machine import describe_machine, resident_bytes

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_RATE = 44100


def measure(
    files: ModelFiles, runs: int, num_frames: int = 24, steps: int = 20, size: int = 0
) -> dict[str, Any]:
    """Load `files`, make the clip `runs` times; the report, ready for JSON. Times in seconds.

    `size` is the side of the picture in pixels, 0 = what the UNet is made for.
    """
    models, loading = load_models(files)
    job = Job(size or models.native_size, num_frames=num_frames, steps=steps)
    loaded, _ = resident_bytes()
    with tempfile.TemporaryDirectory(prefix="a2v-stages-") as name:
        folder = Path(name)
        sound = write_sound(folder / "sound.wav", job.seconds)
        make_clip(models, replace(job, steps=1), sound, folder / "warm-up.mp4")
        laps = [make_clip(models, job, sound, folder / "clip.mp4") for _ in range(runs)]
    # The kernel counts lazily: its highest value may lie a little below one that was read before.
    peak = max(loaded, resident_bytes()[1])
    return report(models, job, loading, laps) | {"memory_bytes": {"loaded": loaded, "peak": peak}}


def report(models: Models, job: Job, loading: Laps, runs: Sequence[Laps]) -> dict[str, Any]:
    """Everything but the memory."""
    totals = [laps.total for laps in runs]
    return {
        "machine": describe_machine(),
        "parameters": models.parameters,
        "job": asdict(job) | {"seconds": job.seconds},
        "loading": loading.seconds | {"total": loading.total},
        "runs": [laps.seconds | {"total": laps.total} for laps in runs],
        "stages": {stage: _spread([laps.seconds[stage] for laps in runs]) for stage in STAGES},
        "total": _spread(totals),
        "seconds_per_step": statistics.median(laps.seconds["sampling"] for laps in runs) / job.steps,
    }


def write_sound(path: Path, seconds: float) -> Path:
    """A stereo WAV file of `seconds`: a burst of noise every half second."""
    rng = np.random.default_rng(0)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    envelope = np.exp(-(time % 0.5) / 0.05)
    samples = 0.3 * envelope[:, None] * rng.standard_normal((len(time), 2))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes())
    return path


def as_text(facts: dict[str, Any]) -> str:
    """The report for people."""
    job, machine, memory = facts["job"], facts["machine"], facts["memory_bytes"]
    sizes = ", ".join(f"{name} {count / 1e6:.1f} M" for name, count in facts["parameters"].items())
    loading = ", ".join(f"{name} {seconds:.2f}" for name, seconds in facts["loading"].items())
    lines = [
        f"machine     {machine['processor']}, {machine['threads']} threads, torch {machine['torch']}",
        f"parameters  {sizes}",
        f"clip        {job['num_frames']} frames of {job['size']} x {job['size']} at {job['fps']:g} fps "
        f"({job['seconds']:.2f} s), {job['steps']} steps {job['scheduler']}, cfg {job['guidance_scale']:g}",
        f"loading     {loading} s",
        f"memory      {memory['loaded'] / 2**30:.2f} GiB with all models loaded, "
        f"{memory['peak'] / 2**30:.2f} GiB at the peak",
        "",
        f"{'seconds of ' + str(len(facts['runs'])) + ' runs':14}{'min':>10}{'median':>10}{'max':>10}",
    ]
    rows = facts["stages"] | {"total": facts["total"]}
    lines += [
        f"{name:14}{row['min']:10.3f}{row['median']:10.3f}{row['max']:10.3f}" for name, row in rows.items()
    ]
    return "\n".join([*lines, "", f"{facts['seconds_per_step']:.3f} s per sampling step"])


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status, 1 for bad input."""
    options = _parser().parse_args(arguments)
    own = {name: getattr(options, name) for name in ("beats", "mapper", "t2v")}
    own = {name: path for name, path in own.items() if path is not None}
    try:
        with tempfile.TemporaryDirectory(prefix="a2v-mid-") as folder:
            files = ModelFiles(**own) if len(own) == 3 else replace(_files(options.model, folder), **own)
            measured = measure(files, options.runs, options.frames, options.steps, options.size)
    except A2VError as error:
        if options.json:
            print(json.dumps({"error": str(error)}))
        print(f"error: {error}", file=sys.stderr)
        return 1
    facts = {"model": "own" if len(own) == 3 else options.model} | measured
    print(json.dumps(facts, indent=2) if options.json else as_text(facts))
    return 0


def _files(model: str, folder: str) -> ModelFiles:
    if model == "demo":
        return ModelFiles(demo_path("beats"), demo_path("mapper"), demo_path("t2v"))
    from .mid_model import model_files

    # In a process of its own, whose memory does not count.
    target = Path(folder) / "models"
    subprocess.run([sys.executable, "-m", "benchmarks.mid_model", str(target)], cwd=ROOT, check=True)
    return model_files(target)


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    return {"min": min(seconds), "median": statistics.median(seconds), "max": max(seconds)}


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is below 1")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.stages",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model", choices=("demo", "mid"), default="demo", help="which models (default: demo)"
    )
    parser.add_argument("--beats", type=Path, metavar="FILE", help="your own BEATs")
    parser.add_argument("--mapper", type=Path, metavar="FILE", help="your own AudioMapper")
    parser.add_argument("--t2v", type=Path, metavar="DIR", help="your own text-to-video model")
    parser.add_argument(
        "--frames", type=_at_least_one, default=24, metavar="N", help="frames of the clip (default: 24)"
    )
    parser.add_argument(
        "--steps", type=_at_least_one, default=20, metavar="N", help="sampling steps (default: 20)"
    )
    parser.add_argument(
        "--size",
        type=_at_least_one,
        default=0,
        metavar="PX",
        help="side of the picture (default: the UNet's)",
    )
    parser.add_argument("--runs", type=_at_least_one, default=3, metavar="N", help="clips (default: 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
