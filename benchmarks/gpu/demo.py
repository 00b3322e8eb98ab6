"""Demo models by the clock: what some minutes of training from nothing reach, stage by stage, and how well
the videos then follow their sounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from a2v_core.audio import load_beats
from a2v_core.backbones import load_t2v, to_device
from a2v_core.checkpoints import write_safetensors
from a2v_core.optional import MissingDependency
from a2v_core.sampling import EXACT
from a2v_core.schedules import DEFAULT_SCHEDULER
from a2v_core.tokens import load_mapper
from training.demo_world import beats, mapper, t2v, vae
from training.demo_world.atlas import Atlas
from training.demo_world.demo import DemoModels
from training.demo_world.evaluate import PROMPT, score
from training.demo_world.held_out import held_out, visible_events
from training.demo_world.recognise import EventCounts, recognise
from training.parts import read_lines

from .job import Job, Step
from .record import Note

MINUTES = 3.0
SCORING = 20.0  # seconds for the scores at the end
SOUNDS, WORD_STEPS = 600, 800
MOST_STEPS = 10**6


class Stage(NamedTuple):
    """One network: its share of the time, and its training until a time is over."""

    name: str
    share: float
    train: Callable[..., None]
    options: dict[str, Any]
    tiny: dict[str, Any]


STAGES = (
    Stage("vae", 2, vae.train, {}, {}),
    Stage("t2v", 4, t2v.train, {}, {}),
    Stage("beats", 2, beats.train, {}, {}),
    Stage(
        "mapper",
        2,
        mapper.train,
        {"sounds": SOUNDS, "word_steps": WORD_STEPS},
        {"sounds": 8, "word_steps": 2},
    ),
)


def trained(job: Job, note: Note) -> None:
    """All stages, the later ones with what the earlier ones left; then scores on held-out sounds."""
    work = job.folder / "demo"
    work.mkdir()
    if job.tiny:
        _write_atlas(work)
    left = min(60 * MINUTES, job.left - SCORING)
    end = time.monotonic() + left
    for number, stage in enumerate(STAGES):
        rest = sum(other.share for other in STAGES[number:])
        seconds = max(1.0, (end - time.monotonic()) * stage.share / rest)
        began = time.monotonic()
        if job.tiny:
            stage.train(work, steps=2, **stage.tiny)
        else:
            stage.train(work, steps=MOST_STEPS, minutes=seconds / 60, **stage.options)
        note(**{stage.name: {"stage_seconds": time.monotonic() - began, **_log(work, stage.name)}})
    note(training_seconds=left - (end - time.monotonic()))
    note(**_scores(job, work, note))


def _write_atlas(work: Path) -> None:
    """Random latents in the place of those of all pictures of the world, which take a CPU half a minute."""
    appearances = len(Atlas(torch.empty(0)).appearances)
    table = torch.randn(appearances, len(Atlas.levels()), 4, 8, 8, generator=torch.Generator().manual_seed(0))
    write_safetensors(work / "atlas.safetensors", {"table": table}, {})


def _log(work: Path, name: str) -> dict[str, Any]:
    """Steps, steps a second, and the loss at the beginning and at the end, from a stage's metrics."""
    path = work / f"{name}.jsonl"
    rows = list(read_lines(path)) if path.is_file() else []
    if not rows:
        return {}
    first, last = rows[0], rows[-1]
    return {
        "steps": last["step"],
        "steps_per_second": last["step"] / max(last["seconds"], 1e-9),
        "first_loss": first["loss"],
        "last_loss": last["loss"],
    }


class _Trained(DemoModels):
    """The models of a work folder on a device."""

    def __init__(self, work: Path, device: torch.device, steps: int) -> None:
        backbone = load_t2v(work / "t2v")
        to_device(backbone, device)
        super().__init__(
            load_mapper(work / "mapper.safetensors"), backbone, steps, None, EXACT, DEFAULT_SCHEDULER
        )
        self.beats = load_beats(work / "beats.safetensors").to(device)
        self.mapper.to(device)


def _scores(job: Job, work: Path, note: Note) -> dict[str, Any]:
    """Of videos of held-out sounds: the right object, the right events, and AV-Align where it can be had."""
    demo = _Trained(work, job.device, 2 if job.tiny else 20)
    events, right, clips = EventCounts(), 0, 0
    alignments: list[float] = []
    missing = ""
    while clips < (1 if job.tiny else 24) and (clips == 0 or job.left > 5):
        scene, sound = held_out(clips, "plain")
        frames = demo.video(PROMPT, sound, scene.num_frames, seed=clips)
        seen = recognise(frames.numpy())
        right += (seen.colour, seen.shape) == (scene.colour, scene.shape)
        events.add(seen.leaps, visible_events(scene))
        clips += 1
        try:
            found = None if missing else score(frames, sound).score
        except MissingDependency as error:
            found, missing = None, str(error)
        alignments += [] if found is None else [found]
        numbers = {
            "clips": clips,
            "object_accuracy": right / clips,
            "event_recall": events.recall,
            "event_precision": events.precision,
            "av_align": sum(alignments) / len(alignments) if alignments else None,
        }
        note(scores=numbers)
    return {"scores": numbers} | ({"av_align_missing": missing} if missing else {})


STEPS = (Step("from nothing", trained),)
