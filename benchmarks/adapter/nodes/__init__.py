"""A node for ComfyUI that times sampling with one MODEL after the other; mounted by `benchmarks.adapter`."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.sample
import torch
from comfy_api.latest import ComfyExtension, io, ui

MODELS = ("plain", "zero", "hearing")


class BenchAdapter(io.ComfyNode):
    """Samples with the three MODELs in turn, `runs` times; shows the measurements as JSON.

    The first turn is the first run of each: weights are loaded and kernels chosen. Each later turn gives one
    ratio per MODEL to the plain one, so that what slows the machine for a while slows both sides.
    """

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs: list[Any] = [io.Latent.Input("latent")]
        for name in MODELS:
            inputs += [io.Model.Input(name), *(io.Conditioning.Input(f"{name}_{text}") for text in "pn")]
        inputs += [io.Int.Input(name) for name in ("steps", "runs", "threads")]
        inputs.append(io.Float.Input("cfg"))
        return io.Schema(node_id="BenchAdapter", inputs=inputs, outputs=[], is_output_node=True)

    @classmethod
    def execute(
        cls, latent: dict[str, Any], steps: int, runs: int, threads: int, cfg: float, **inputs: Any
    ) -> io.NodeOutput:
        before = torch.get_num_threads()
        torch.set_num_threads(threads or before)
        try:
            turns = [
                {name: _sampled(name, inputs, latent, steps, cfg) for name in MODELS} for _ in range(runs)
            ]
        finally:
            torch.set_num_threads(before)
        return io.NodeOutput(ui=ui.PreviewText(json.dumps(_facts(turns, threads or before))))


def _facts(turns: list[dict[str, tuple[float, float]]], threads: int) -> dict[str, Any]:
    first, later = turns[0], turns[1:]
    seconds = {name: statistics.median(turn[name][0] for turn in later) for name in MODELS}
    ratio = {
        name: statistics.median(turn[name][0] / turn["plain"][0] for turn in later) for name in MODELS[1:]
    }
    peak = {name: max(turn[name][1] for turn in later) for name in MODELS}
    loaded = [entry.model for entry in comfy.model_management.current_loaded_models]
    sizes = {type(patcher.model).__name__: patcher.model_size() for patcher in loaded if patcher is not None}
    return {
        "threads": threads,
        "seconds": seconds["plain"],
        "slowdown": ratio["hearing"],
        "slowdown_at_zero": ratio["zero"],
        "extra_mb": sizes["AudioAdapter"] / 2**20 + peak["hearing"] - peak["plain"],
        "weights_mb": sizes["AudioAdapter"] / 2**20,
        "first_run": first["hearing"][0] / first["plain"][0],
        "first_run_seconds": first["hearing"][0],
    }


def _sampled(
    name: str, inputs: dict[str, Any], latent: dict[str, Any], steps: int, cfg: float
) -> tuple[float, float]:
    """Seconds of sampling, and the most memory during it in MiB."""
    samples = latent["samples"]
    noise = torch.randn(samples.shape, generator=torch.Generator().manual_seed(0))
    positive, negative = (inputs[f"{name}_{text}"] for text in "pn")
    on_gpu = comfy.model_management.get_torch_device().type == "cuda"
    _forget_peak(on_gpu)
    began = time.perf_counter()
    comfy.sample.sample(
        inputs[name], noise, steps, cfg, "euler", "simple", positive, negative, samples, disable_pbar=True
    )
    if on_gpu:
        torch.cuda.synchronize()
    return time.perf_counter() - began, _peak(on_gpu) / 2**20


def _forget_peak(on_gpu: bool) -> None:
    if on_gpu:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5")


def _peak(on_gpu: bool) -> int:
    if on_gpu:
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


class BenchText(io.ComfyNode):
    """CONDITIONING of one random text, as long and wide as Wan's."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BenchText", inputs=[io.Int.Input("seed")], outputs=[io.Conditioning.Output()]
        )

    @classmethod
    def execute(cls, seed: int) -> io.NodeOutput:
        text = torch.randn(1, 512, 4096, generator=torch.Generator().manual_seed(seed))
        return io.NodeOutput([[text, {}]])


class BenchNodes(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [BenchAdapter, BenchText]


async def comfy_entrypoint() -> BenchNodes:
    return BenchNodes()
