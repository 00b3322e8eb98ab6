"""What an audio adapter costs on ComfyUI's own MODEL, in a real ComfyUI process.

    python -m benchmarks.adapter [--comfyui DIR] [--device cuda] [--only tiny mid] [--steps N] [--runs N]
        [--json]

A random Wan, loaded by ComfyUI's own loader, is sampled by ComfyUI's own sampler with guidance: as it is
(the peer), with the adapter at strength 0, and with the adapter. The three take turns in one process, once
with one thread and once with all.

    seconds           of a whole sampling without the adapter, median of the later turns
    slowdown          with the adapter / without it, median over the later turns
    slowdown_at_zero  at strength 0 / without it
    extra_mb          MiB: the adapter's weights, and what sampling with it takes more at its peak
    weights_mb        its weights alone
    first_run         with the adapter / without it in the first turn, in which both load their weights

tiny has 6 blocks of width 256, mid 8 blocks of those of Wan 2.1 1.3B, which has 30.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from a2v_core.errors import A2VError
from a2v_core.headless.server import (
    ComfyServer,
    Execution,
    Silent,
    connect,
    execute,
    find_comfyui,
    running_server,
    texts_of,
)

from ..machine import describe_machine
from .models import SIZES, Size, write_models

NODES = Path(__file__).parent / "nodes"
DEMO = "demo (bundled)"
CFG = 5.0
ROUNDED = {"seconds": 2, "slowdown": 3, "slowdown_at_zero": 3, "extra_mb": 1, "weights_mb": 2, "first_run": 2}


def measure(
    comfyui: Path, names: Sequence[str], device: str, steps: int, runs: int, sizes: dict[str, Size] = SIZES
) -> dict[str, Any]:
    """Everything the command prints, ready for JSON: for every size the numbers with all threads, and under
    `one_thread` those with one."""
    facts: dict[str, Any] = {"machine": describe_machine(), "device": device, "steps": steps, "runs": runs}
    for name in names:
        with serving(comfyui, device) as server:
            write_models(server.models, sizes[name])
            one = run_graph(server, sizes[name], steps, runs, threads=1)
            every = run_graph(server, sizes[name], steps, runs, threads=0)
        facts[name] = {**every, "one_thread": one}
    return facts


@contextlib.contextmanager
def serving(
    comfyui: Path, device: str, flags: Sequence[str] = (), mounted: Path = NODES
) -> Iterator[ComfyServer]:
    """A ComfyUI with nodes that measure, the folder `mounted`, and an empty models folder."""
    with tempfile.TemporaryDirectory(prefix="a2v-adapter-") as folder:
        paths = Path(folder) / "paths.yaml"
        nodes = Path(folder) / "custom_nodes"
        nodes.mkdir()
        (nodes / "benchmark").symlink_to(mounted, target_is_directory=True)
        paths.write_text(json.dumps({"benchmark": {"custom_nodes": str(nodes)}}))
        arguments = ["--extra-model-paths-config", str(paths), *flags]
        with running_server(comfyui, own_models=True, cpu=device == "cpu", arguments=arguments) as server:
            yield server


def run_graph(server: ComfyServer, size: Size, steps: int, runs: int, threads: int) -> dict[str, Any]:
    """The numbers of the module docstring, of models that `write_models` has put there."""
    return asyncio.run(_run(server, _graph(size, steps, runs, threads)))


async def _run(server: ComfyServer, graph: dict[str, Any]) -> dict[str, Any]:
    async with connect(server.url) as client:
        execution = Execution(str(uuid.uuid4()), {}, Silent())
        await execute(client, graph, None, execution)
    (text,) = texts_of(execution.outputs)["bench"]
    found: dict[str, Any] = json.loads(text)
    return {key: round(value, ROUNDED.get(key, 2)) for key, value in found.items()}


def _graph(size: Size, steps: int, runs: int, threads: int) -> dict[str, Any]:
    """From a bundled sound to three MODELs and the node that times them."""

    def node(kind: str, **inputs: Any) -> dict[str, Any]:
        return {"class_type": kind, "inputs": inputs}

    def applied(strength: float) -> dict[str, Any]:
        return node(
            "A2VApplyAudioAdapter",
            model=["model", 0],
            audio_adapter=["adapter", 0],
            audio_tokens=["tokens", 0],
            positive=["positive", 0],
            negative=["negative", 0],
            strength=strength,
            start_percent=0.0,
            end_percent=1.0,
            sound_cfg=1.0,
        )

    graph = {
        "sound": node("A2VLoadAudio", audio=f"{DEMO}: drum.wav", start_time=0.0, duration=0.0),
        "beats": node("A2VLoadBEATs", beats_name=DEMO),
        "features": node(
            "A2VBEATsEncode",
            audio_encoder=["beats", 0],
            audio=["sound", 0],
            hop="80 ms",
            chunk_seconds=0.0,
            overlap_seconds=0.0,
        ),
        "adapter": node("A2VLoadAudioAdapter", adapter_name="wan.safetensors"),
        "frames": node(
            "A2VAudioMapper",
            mapper=["adapter", 1],
            audio_features=["features", 0],
            num_frames=size.frames,
            fps=16.0,
            batch_index=0,
        ),
        "tokens": node("A2VTemporalContextPooling", mapper=["adapter", 1], frame_tokens=["frames", 0]),
        "model": node("UNETLoader", unet_name="wan.safetensors", weight_dtype="default"),
        "positive": node("BenchText", seed=1),
        "negative": node("BenchText", seed=2),
        "latent": node(
            "EmptyHunyuanLatentVideo", width=size.width, height=size.height, length=size.frames, batch_size=1
        ),
        "zero": applied(0.0),
        "hearing": applied(1.0),
        "bench": node(
            "BenchAdapter",
            latent=["latent", 0],
            plain=["model", 0],
            plain_p=["positive", 0],
            plain_n=["negative", 0],
            zero=["zero", 0],
            zero_p=["zero", 1],
            zero_n=["zero", 2],
            hearing=["hearing", 0],
            hearing_p=["hearing", 1],
            hearing_n=["hearing", 2],
            steps=steps,
            runs=runs,
            threads=threads,
            cfg=CFG,
        ),
    }
    return graph


def as_text(facts: dict[str, Any]) -> str:
    """The report for people."""
    machine = facts["machine"]
    lines = [f"machine  {machine['processor']}, torch {machine['torch']}; on {facts['device']}", ""]
    keys = ("threads", *ROUNDED)
    lines.append(f"{'':6}" + "".join(f"{key:>18}" for key in keys))
    for name in SIZES.keys() & facts.keys():
        for row in (facts[name]["one_thread"], facts[name]):
            lines.append(f"{name:6}" + "".join(f"{row[key]:>18}" for key in keys))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        comfyui = options.comfyui or find_comfyui()
        facts = measure(comfyui, options.only, options.device, options.steps, options.runs)
    except A2VError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(facts, indent=2) if options.json else as_text(facts))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.adapter",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--comfyui", type=Path, metavar="DIR", help="its folder (the one of the tests)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--only", nargs="+", choices=tuple(SIZES), default=list(SIZES))
    parser.add_argument("--steps", type=int, default=4, metavar="N")
    parser.add_argument("--runs", type=int, default=6, metavar="N", help="turns; the first is a warm-up")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
