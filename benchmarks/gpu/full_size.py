"""A text-to-video model of the published size: stages, TFLOP/s against the card's, memory, and diffusers'
pipeline on the same weights in the same run.

In order: the card's rate, the clip as it is, the peer, ways to store and to lay out the weights, what one
step is made of, and compiled blocks last, since compiling takes longest.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from a2v_core.backbones import Backbone, load_t2v, to_device
from a2v_core.backbones.clip_unet import compile_blocks
from a2v_core.pipeline import InTurn, MemoryManager
from a2v_core.prompts import ContextBatch
from a2v_core.sampling import SampleSettings

from ..clip import Laps
from ..full_size import PROMPT, count_flop, device_clock, make_clip, matrix_rate
from ..peers import Clip, DiffusersPipeline
from .job import Job, Step
from .models import full_size
from .record import Note
from .timing import forget, peaks

SHARE, SPEEDUP, OFFLOADED = 0.4, 1.3, 8e9
COMPILING = 45.0  # seconds that it takes at least
_FOUND: dict[str, Any] = {}  # what later steps compare with: seconds and TFLOP of the steps before


def settings_of(job: Job) -> SampleSettings:
    """The clip: 24 frames of 384 x 384 in 25 steps."""
    if job.tiny:
        return SampleSettings(2, 9.0, width=16, height=16, num_frames=3)
    return SampleSettings(25, 9.0, width=384, height=384, num_frames=24)


def card(job: Job, note: Note) -> None:
    """What the card's matrix products reach, which is what rates are compared with."""
    for name, dtype in {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}.items():
        if job.on_gpu or name != "fp16":
            note(**{f"{name}_tflop_per_second": matrix_rate(job.device, dtype) / 1e12})
    _FOUND["rate"] = note.record.steps[note.name]["bf16_tflop_per_second"]
    if job.on_gpu:
        block = torch.empty(2**31, dtype=torch.uint8, device=job.device)
        other, clock = torch.empty_like(block), device_clock(job.device)
        seconds = []
        for _ in range(5):
            began = clock()
            other.copy_(block)
            seconds.append(clock() - began)
        note(copy_tb_per_second=2 * 2**31 / min(seconds) / 1e12)


def exact(job: Job, note: Note) -> None:
    """The clip as it is, in bf16: stages."""
    backbone = _loaded(job)
    settings = settings_of(job)
    _FOUND["tflop"] = count_flop(backbone, settings) / 1e12
    note(step_tflop=_FOUND["tflop"], parameters=_parameters(backbone))
    numbers = _measured(job, note, backbone, settings)
    _FOUND["clip"], _FOUND["sampling"] = numbers["clip"], numbers["sampling"]
    note.goal(
        f"{100 * SHARE:.0f} % of the matrix rate, exact", numbers["share_of_matrix_rate"], at_least=SHARE
    )


def peer(job: Job, note: Note) -> None:
    """diffusers' pipeline on the same weights, first noise, solver and steps."""
    settings = settings_of(job)
    pipeline = DiffusersPipeline(full_size(job).t2v, job.device, torch.bfloat16)
    shape = (1, 4, settings.num_frames, settings.height // 8, settings.width // 8)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    clip = Clip(PROMPT, 0, noise, settings.steps, settings.guidance_scale, settings.scheduler, settings.width)

    def run(laps: Laps) -> Laps:
        pipeline.make(clip, laps)
        return laps

    numbers = _stages(job, note, run)
    _FOUND["peer"] = numbers["clip"]
    if "clip" in _FOUND:
        _compare_with_peer(note, "exact", _FOUND["clip"])


def channels_last(job: Job, note: Note) -> None:
    """Convolutions with channels last, which tensor cores like."""
    backbone = _loaded(job)
    for network in (*backbone.parts()["denoiser"], *backbone.parts()["vae"]):
        lay_channels_last(network)
    _compare_with_peer(note, "channels last", _measured(job, note, backbone, settings_of(job))["clip"])


def fp8(job: Job, note: Note) -> None:
    """The UNet's weights in 8 bits."""
    _measured(job, note, _loaded(job, "fp8"), settings_of(job))


def in_turn(job: Job, note: Note) -> None:
    """One part at a time on the device, and branch by branch, as on a small card."""
    settings = replace(settings_of(job), batch_guidance=False)
    backbone = load_t2v(full_size(job).t2v, "bf16")
    _measured(job, note, backbone, settings, InTurn(backbone, job.device))


def offloaded(job: Job, note: Note) -> None:
    """The UNet's weights in the CPU's memory: the least memory of all."""
    settings = replace(settings_of(job), batch_guidance=False)
    backbone = load_t2v(full_size(job).t2v, "fp8")
    manager = InTurn(backbone, job.device, offload=True)
    numbers = _measured(job, note, backbone, settings, manager)
    note.goal(f"below {OFFLOADED / 1e9:.0f} GB offloaded", numbers["reserved"], at_most=OFFLOADED)


def inside(job: Job, note: Note) -> None:
    """What one step spends its time on: the operations that take longest, in milliseconds."""
    from torch.profiler import ProfilerActivity, profile

    backbone, settings = _loaded(job), settings_of(job)
    step = _one_step(backbone, settings)
    step()
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if job.on_gpu else [])]
    with profile(activities=kinds) as profiled:
        step()
        if job.on_gpu:
            torch.cuda.synchronize(job.device)
    key = "self_device_time_total" if job.on_gpu else "self_cpu_time_total"
    events = sorted(profiled.key_averages(), key=lambda event: -getattr(event, key))
    total = sum(getattr(event, key) for event in events) or 1
    for event in events[:14]:
        took = getattr(event, key)
        note(**{event.key[:60]: {"ms": took / 1e3, "share": took / total, "calls": event.count}})


@torch.no_grad()
def convolutions(job: Job, note: Note) -> None:
    """Temporal convolutions as PyTorch has them and as 2-D ones over frames x pixels, at the four levels."""
    frames, side = (3, 8) if job.tiny else (24, 48)
    dtype = torch.bfloat16 if job.on_gpu else torch.float32
    for level, width in enumerate((8, 8) if job.tiny else (320, 640, 1280, 1280)):
        pixels = max(1, side >> level)
        conv = nn.Conv3d(width, width, (3, 1, 1), padding=(1, 0, 0)).to(job.device, dtype)
        x = torch.randn(2, width, frames, pixels, pixels, device=job.device, dtype=dtype)
        flat, kernel = x.flatten(3), conv.weight.squeeze(-1)
        last_flat, last_kernel = (
            tensor.contiguous(memory_format=torch.channels_last) for tensor in (flat, kernel)
        )
        seconds = {
            "conv3d": _fastest(job, partial(conv, x)),
            "conv2d": _fastest(job, partial(_flat_conv, flat, kernel, conv.bias)),
            "conv2d, channels last": _fastest(job, partial(_flat_conv, last_flat, last_kernel, conv.bias)),
        }
        flop = 2 * 2 * frames * pixels**2 * width**2 * 3
        row = {f"{name}, TFLOP/s": flop / took / 1e12 for name, took in seconds.items()}
        note(**{f"{width} channels, {pixels} x {pixels}, level {level}": row})


def _flat_conv(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    return nn.functional.conv2d(x, kernel, bias, padding=(1, 0))


def _fastest(job: Job, work: Callable[[], Tensor]) -> float:
    """Seconds of the fastest of five runs after one that does not count."""
    clock = device_clock(job.device)
    times = []
    for _ in range(6):
        began = clock()
        work()
        times.append(clock() - began)
    return min(times[1:])


def compiled(job: Job, note: Note) -> None:
    """The UNet's blocks through torch.compile."""
    backbone = _loaded(job)
    compile_blocks(backbone.parts()["denoiser"][0])
    # A test of this command has no time for a compiler: all but that is as on a GPU.
    torch.compiler.set_stance("force_eager" if job.tiny else "default")
    step, clock = _one_step(backbone, settings_of(job)), device_clock(job.device)
    began = clock()
    step()
    note(first_step_seconds=clock() - began)
    numbers = _measured(job, note, backbone, settings_of(job))
    _compare_with_peer(note, "compiled", numbers["clip"])
    note.goal(
        f"{100 * SHARE:.0f} % of the matrix rate, compiled", numbers["share_of_matrix_rate"], at_least=SHARE
    )


def lay_channels_last(network: nn.Module) -> None:
    """The weights of 2-D convolutions with channels last; activations then follow."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)


def _loaded(job: Job, dtype: str = "bf16") -> Backbone:
    backbone = load_t2v(full_size(job).t2v, dtype)
    to_device(backbone, job.device)
    return backbone


def _measured(
    job: Job,
    note: Note,
    backbone: Backbone,
    settings: SampleSettings,
    memory: MemoryManager | None = None,
) -> dict[str, Any]:
    return _stages(job, note, lambda laps: make_clip(backbone, settings, laps, memory))


@torch.no_grad()
def _stages(job: Job, note: Note, run: Callable[[Laps], Laps], runs: int = 3) -> dict[str, Any]:
    """Seconds by stage, medians after a run that does not count; written after every run."""
    clock = device_clock(job.device)
    first = run(Laps(clock))
    note(first_clip_seconds=first.total)
    forget(job)
    laps: list[Laps] = []
    numbers: dict[str, Any] = {}
    while len(laps) < (1 if job.tiny else runs):
        laps.append(run(Laps(clock)))
        stages = {name: statistics.median(lap.seconds[name] for lap in laps) for name in laps[0].seconds}
        totals = [lap.total for lap in laps]
        numbers = {
            **stages,
            "clip": statistics.median(totals),
            "fastest": min(totals),
            "slowest": max(totals),
        }
        numbers |= {"runs": len(laps)} | peaks(job) | _rates(numbers["sampling"], settings_of(job).steps)
        note(**numbers)
        if job.left < 2 * laps[-1].total:
            break
    return numbers


def _rates(seconds: float, steps: int) -> dict[str, float]:
    if not {"tflop", "rate"} <= _FOUND.keys():
        return {"share_of_matrix_rate": 0.0}
    reached = _FOUND["tflop"] * steps / seconds
    return {"tflop_per_second": reached, "share_of_matrix_rate": reached / _FOUND["rate"]}


def _compare_with_peer(note: Note, way: str, seconds: float) -> None:
    if "peer" not in _FOUND:
        return
    ratio = _FOUND["peer"] / seconds
    note(times_as_fast_as_peer=ratio)
    note.goal(f"{SPEEDUP:g} times diffusers' pipeline, {way}", ratio, at_least=SPEEDUP)


def _one_step(backbone: Backbone, settings: SampleSettings) -> Callable[[], Tensor]:
    text = backbone.encode_prompt(PROMPT, None, settings.num_frames)
    batch = ContextBatch.of([text, text])
    noise = torch.randn(settings.grid(backbone.spec).shape)

    @torch.no_grad()
    def step() -> Tensor:
        return backbone.denoise(noise, torch.tensor(500), batch)

    return step


def _parameters(backbone: Backbone) -> int:
    return sum(p.numel() for p in backbone.parts()["denoiser"][0].parameters())


STEPS = (
    Step("matrix products", card),
    Step("exact", exact),
    Step("diffusers' pipeline", peer),
    Step("offloaded, fp8", offloaded),
    Step("fp8", fp8),
    Step("channels last", channels_last),
    Step("what a step is made of", inside),
    Step("temporal convolutions", convolutions),
    Step("one part at a time, branch by branch", in_turn),
    Step("compiled", compiled, COMPILING),
)
