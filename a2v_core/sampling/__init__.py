"""From noise to latents: settings, guidance, the sampler."""

from __future__ import annotations

from .guidance_scales import NEGATIVE, PROMPT, TEXT
from .precision import in_precision_of
from .sampler import StepCallback, sample
from .settings import SampleSettings
from .speed import EXACT, SPEEDS, Speed, StepPlan, find_speed
from .stream import decode_video, on_disk, stream_video

__all__ = [
    "EXACT",
    "NEGATIVE",
    "PROMPT",
    "SPEEDS",
    "TEXT",
    "SampleSettings",
    "Speed",
    "StepCallback",
    "StepPlan",
    "decode_video",
    "find_speed",
    "in_precision_of",
    "on_disk",
    "sample",
    "stream_video",
]
