"""The same numbers as on a CPU: golden values, noise, every solver, every precision, and every way of the
library on a small model."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor

from a2v_core.backbones import to_device
from a2v_core.sampling import SampleSettings
from a2v_core.schedules import SCHEDULERS, NoiseSchedule
from training.demo_world.captioned import SCHEDULER

from . import golden
from .clips import Clip, heard, make, model, own_model, small
from .exact import decibels, full_float32, relative
from .job import Job, Step, Wrong
from .paths import CPU, Way, paths
from .record import Note

SHAPE = (1, 4, 24, 48, 48)
SAME = 0.02  # relative difference of latents after some steps that rounding may make
ROUNDED = 0.1  # the same in bfloat16
HALF_DB = {"bf16": 30.0, "fp16": 40.0, "fp8": 25.0}  # below it something is wrong, not merely rounded


def noise(job: Job, note: Note) -> None:
    """The same seed gives the same noise, bit for bit, and a run gives the same video twice."""

    def drawn(device: torch.device, seed: int) -> Tensor:
        return NoiseSchedule(SCHEDULER, "dpmpp_2m", 2, seed, device).noise(SHAPE)

    same = all(torch.equal(drawn(job.device, seed).cpu(), drawn(CPU, seed)) for seed in (0, 1, 2**63))
    note(first_noise_equal=same)
    backbone = model(job.device)
    clip = Clip(8, SampleSettings(2, 3.0, "euler_a", seed=5))
    one, other = (make(backbone, clip, None).latents for _ in range(2))
    note(twice_equal=bool(torch.equal(one, other)))
    if not same:
        raise Wrong("a seed does not give the noise that it gives on a CPU")


def solvers(job: Job, note: Note) -> None:
    """Every solver on the device and on the CPU, with noise in the steps of those that draw it."""
    frames, steps = (2, 2) if job.tiny else (4, 3)
    folder = small(job)

    def solved(name: str, device: torch.device) -> Tensor:
        clip = Clip(frames, SampleSettings(steps, 3.0, name, seed=1))
        return make(model(device, folder=folder), clip, None).latents

    _compare(job, note, [(name, partial(solved, name)) for name in SCHEDULERS])


def precisions(job: Job, note: Note) -> None:
    """The decoded video of the bundled models with a sound: float32 against the CPU, half precisions against
    float32, in dB."""
    frames, steps = (4, 2) if job.tiny else (24, 20)
    clip = Clip(frames, SampleSettings(steps, 3.0))
    with full_float32():
        tokens = heard(frames, job.device)
        reference = make(model(job.device), clip, tokens).frames
        note(fp32_against_cpu_db=decibels(reference, make(model(CPU), clip, heard(frames, CPU)).frames))
    note(fp32_with_tf32_db=decibels(make(model(job.device), clip, tokens).frames, reference))
    low = []
    for dtype, least in HALF_DB.items():
        found = decibels(make(model(job.device, dtype), clip, tokens).frames, reference)
        note(**{f"{dtype}_db": found})
        low += [f"{dtype} {found:.1f} dB"] if found < least and not job.tiny else []
    half = heard(frames, job.device, torch.bfloat16 if job.on_gpu else torch.float32)
    rows = [relative(half.words[word], tokens.words[word]) for word in tokens.words]
    note(hearing_in_bf16_relative=max(rows))
    if low:
        raise Wrong(f"too far from float32: {', '.join(low)}")


def ways(job: Job, note: Note) -> None:
    """Everything that the library can do with a model, on the device and on the CPU."""
    _compare(job, note, paths(job))


def _compare(job: Job, note: Note, ways: Iterable[tuple[str, Way]]) -> None:
    """Each on the device and, unless that is the CPU, there as well: the relative difference."""
    bad = []
    for name, way in ways:
        try:
            with full_float32():
                found = way(job.device)
                if not bool(found.isfinite().all()):
                    raise Wrong("not finite")
                difference = relative(found, way(CPU)) if job.on_gpu else None
        except Exception as error:  # one that fails says nothing of the others
            note(**{name: f"{type(error).__name__}: {str(error)[:300]}"})
            bad.append(name)
            continue
        note(**{name: "ran" if difference is None else difference})
        if difference is not None and difference > (ROUNDED if name.startswith("fp8") else SAME):
            bad.append(name)
    if bad:
        raise Wrong(f"fail or differ: {', '.join(bad)}")


def moved(job: Job, note: Note) -> None:
    """A model that went to the device and back is the model that it was."""
    backbone = own_model(CPU)
    clip = Clip(4, SampleSettings(2, 3.0))
    before = make(backbone, clip, None).latents
    to_device(backbone, job.device)
    make(backbone, clip, None)
    to_device(backbone, CPU)
    same = bool(torch.equal(make(backbone, clip, None).latents, before))
    note(equal=same)
    if not same:
        raise Wrong("a model that was on the device gives other numbers on the CPU")


STEPS = (
    Step("noise", noise),
    Step("golden: BEATs", golden.beats),
    Step("golden: AudioMapper", golden.mapper),
    Step("golden: UNet and sampler", golden.unet),
    Step("precisions", precisions),
    Step("ways of the library", ways),
    Step("solvers", solvers),
    Step("golden: text encoder", golden.text),
    Step("to the device and back", moved),
)
