"""Alignment of audio steps with video frames.

Legend: B clips, T audio steps, F video frames, P steps per chunk, D width. Times are in seconds; `times`
holds the start of every step.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..errors import A2VError

# The published mapper makes 24 frames from one piece of sound, whatever the frame rate.
CHUNK_FRAMES = 24
# A BEATs patch is 16 spectrogram rows, one every 10 ms, each over 25 ms. A finer hop only shifts patches.
PATCH_SECONDS = 0.16
PATCH_CENTRE = (15 * 0.010 + 0.025) / 2
# Two steps are equally near when they differ by less than the rounding of float32 times.
_TIE = 1e-3


def frames_for(duration: float, fps: float, num_frames: int = 0) -> int:
    """Number of video frames for a sound of `duration` seconds: `num_frames`, or for 0 as long as the sound.

    Rounds to the nearest whole frame, at least 1. Raises A2VError for an invalid fps or frame count.
    """
    if not (math.isfinite(fps) and fps > 0):
        raise A2VError(f"fps is {fps}; expected a positive number of frames per second")
    if num_frames < 0:
        raise A2VError(f"num_frames is {num_frames}; expected a frame count, or 0 for as long as the sound")
    if num_frames:
        return num_frames
    if not (math.isfinite(duration) and duration > 0):
        raise A2VError(f"the sound is {duration} s long; expected a positive length, or num_frames above 0")
    return max(1, math.floor(duration * fps + 0.5))


def steps_per_chunk(fps: float, patches: int = 8) -> int:
    """P, the audio steps behind a `reference` chunk of 24 frames (24 / fps seconds).

    The largest count that fits into the chunk and whose P * patches tokens divide evenly among 24 frames: 12
    at 12 fps (96 tokens, published inference), 6 at 24 fps (48 tokens, published training).
    """
    unit = CHUNK_FRAMES // math.gcd(CHUNK_FRAMES, patches)
    fitting = math.floor(CHUNK_FRAMES / fps / PATCH_SECONDS + 1e-6)
    return max(fitting // unit, 1) * unit


def chunk_steps(times: Tensor, num_frames: int, fps: float, patches: int = 8) -> Tensor:
    """int64 [chunks, P]: the steps behind every `reference` chunk, by nearest start time.

    Between two equally near steps the earlier one counts; past the end of the sound the last step repeats.
    """
    chunks = -(-num_frames // CHUNK_FRAMES)
    starts = torch.arange(chunks, dtype=torch.float64) * (CHUNK_FRAMES / fps)
    offsets = torch.arange(steps_per_chunk(fps, patches), dtype=torch.float64) * PATCH_SECONDS
    lower, upper, weight = _neighbours(times, starts[:, None] + offsets)
    gap = times.cpu().double()[upper] - times.cpu().double()[lower]
    return torch.where((2 * weight - 1) * gap > _TIE, upper, lower)


def frame_centres(num_frames: int, fps: float) -> Tensor:
    """float64 [F]: the middle of every frame in seconds."""
    return (torch.arange(num_frames, dtype=torch.float64) + 0.5) / fps


def interpolate_steps(steps: Tensor, times: Tensor, num_frames: int, fps: float) -> Tensor:
    """[B, T, D] audio steps -> [B, F, D]: linear between the centres of steps, constant beyond the ends."""
    lower, upper, weight = _neighbours(times.cpu().double() + PATCH_CENTRE, frame_centres(num_frames, fps))
    before, after = steps[:, lower.to(steps.device)], steps[:, upper.to(steps.device)]
    return torch.lerp(before, after, weight.to(steps)[:, None])


def _neighbours(times: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For every target: index of the step before and after it, and how far (0..1) it lies between the two."""
    times, targets = times.detach().cpu().double().contiguous(), targets.contiguous()
    upper = torch.searchsorted(times, targets).clamp(max=len(times) - 1)
    lower = (upper - 1).clamp(min=0)
    gap = (times[upper] - times[lower]).clamp(min=1e-9)
    return lower, upper, ((targets - times[lower]) / gap).clamp(0, 1)
