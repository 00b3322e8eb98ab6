"""Long videos: cost a frame and memory of 240 and 960 frames against 24, with windowed attention."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch

from a2v_core.backbones import load_t2v, to_device
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.sampling import SampleSettings
from a2v_core.sampling.long import LongSettings

from ..full_size import PROMPT, device_clock
from .clips import Clip as SmallClip
from .clips import heard, make, model, sound
from .job import Job, Step, Wrong
from .models import full_size
from .record import Note
from .timing import forget, peaks

LENGTHS = (24, 240, 960)
TINY_LENGTHS = (2, 6, 8)
STEPS_EACH = 2


@torch.no_grad()
def full(job: Job, note: Note) -> None:
    """The model of the published size at 256 x 256, sampled and decoded frame by frame."""
    backbone = load_t2v(full_size(job).t2v, "bf16")
    to_device(backbone, job.device)
    side = 16 if job.tiny else 256
    long = LongSettings(window=4, stride=2) if job.tiny else LongSettings()
    pipeline, clock = VideoPipeline(backbone), device_clock(job.device)
    rows: dict[int, dict[str, Any]] = {}
    for frames in TINY_LENGTHS if job.tiny else LENGTHS:
        if rows and frames * next(reversed(rows.values()))["seconds_a_frame"] > job.left:
            note(left_out=f"{frames} frames: no time")
            break
        settings = SampleSettings(STEPS_EACH, 9.0, width=side, height=side, num_frames=frames)
        request = VideoRequest(PROMPT, settings=settings, long=long)
        contexts = pipeline.encode(request)
        if not rows:
            pipeline.sample(request, contexts)  # first-time work is nobody's
        forget(job)
        began = clock()
        latents = pipeline.sample(request, contexts)
        sampled = clock() - began
        decoded = sum(len(part) for part in pipeline.decode(latents))
        whole = clock() - began
        rows[frames] = {
            "sampling_seconds_a_frame_a_step": sampled / frames / STEPS_EACH,
            "seconds_a_frame": whole / frames,
            **peaks(job),
        }
        note(**{f"{frames} frames": rows[frames]})
        if decoded != frames:
            raise Wrong(f"{decoded} frames were decoded of {frames}")
    first = next(iter(rows.values()))
    for frames, row in list(rows.items())[1:]:
        note(
            **{
                f"cost_{frames}_over_first": row["seconds_a_frame"] / first["seconds_a_frame"],
                f"memory_{frames}_over_first": row["allocated"] / first["allocated"],
            }
        )


def bundled(job: Job, note: Note) -> None:
    """From a sound to frames with the bundled models."""
    backbone, clock = model(job.device), device_clock(job.device)
    for frames in TINY_LENGTHS if job.tiny else LENGTHS[1:]:
        long = LongSettings(window=4, stride=2) if job.tiny else LongSettings(stride=8)
        tokens = heard(frames, job.device)
        forget(job)
        began = clock()
        made = make(backbone, SmallClip(frames, SampleSettings(2 if job.tiny else 4, 3.0), long), tokens)
        note(**{f"{frames} frames": {"seconds_a_frame": (clock() - began) / frames, **peaks(job)}})
        if not math.isfinite(float(made.frames.sum())):
            raise Wrong(f"{frames} frames are not finite")


def to_file(job: Job, note: Note) -> None:
    """The same as an mp4, decoded while it is written."""
    from a2v_core.sampling import stream_video

    frames = TINY_LENGTHS[-1] if job.tiny else LENGTHS[1]
    long = LongSettings(window=4, stride=2) if job.tiny else LongSettings(stride=8)
    backbone, clock = model(job.device), device_clock(job.device)
    clip = SmallClip(frames, SampleSettings(2, 3.0), long)
    latents = make(backbone, clip, heard(frames, job.device)).latents
    target = Path(job.folder) / "video.mp4"
    began = clock()
    stream_video(target, backbone, latents, 12.0, sound(frames))
    note(frames=frames, seconds_a_frame=(clock() - began) / frames, file_bytes=target.stat().st_size)


STEPS = (
    Step("published size, 256 x 256", full),
    Step("bundled models, from the sound", bundled),
    Step("bundled models, to an mp4", to_file),
)
