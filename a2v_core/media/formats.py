"""The values that a video file holds: its rates and its pixels.

Legend: F video frames, H W height and width in pixels.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from ..errors import MediaError

# Sample rates of FFmpeg's AAC encoder, without 7350 Hz, which gains nothing.
AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def aac_rate(rate: int) -> int:
    """The sample rate in Hz that AAC encodes a sound of `rate` Hz at: the next one, or the highest."""
    return next((known for known in AAC_RATES if known >= rate), AAC_RATES[-1])


def frame_rate(fps: float | Fraction) -> Fraction:
    """fps as the exact fraction that files store: 23.976 means 24000/1001, 29.97 30000/1001, and so on.

    Other floats become the nearest fraction with a denominator up to 1001. MediaError outside 0.01..1000 fps.
    """
    if not (math.isfinite(fps) and 0.01 <= fps <= 1000):
        raise MediaError(f"fps is {fps}: expected frames per second between 0.01 and 1000.")
    if isinstance(fps, Fraction):
        return fps
    broadcast = Fraction(round(fps) * 1000, 1001)
    if math.isclose(fps, broadcast, rel_tol=2e-6):
        return broadcast
    return Fraction(fps).limit_denominator(1001)


def to_uint8(frames: torch.Tensor | np.ndarray[Any, Any]) -> Pixels:
    """Frames [F, H, W, 3] in 0..1, any float type, to uint8: rounded to nearest, clipped. MediaError."""
    tensor = torch.as_tensor(frames).detach()
    if tensor.ndim != 4 or tensor.shape[-1] != 3:
        raise MediaError(
            f"Frames have shape {tuple(tensor.shape)}: expected [frames, height, width, 3] (RGB). "
            "Drop an alpha channel, and give a single picture a leading dimension of 1."
        )
    if tensor.shape[1] == 0 or tensor.shape[2] == 0:
        raise MediaError(
            f"Frames have shape {tuple(tensor.shape)}: height and width must be at least 1 pixel."
        )
    if not tensor.is_floating_point():
        raise MediaError(f"Frames are {tensor.dtype}: expected floats in 0..1. Divide 8-bit pixels by 255.")
    tensor = tensor.to(torch.float32)
    if not bool(torch.isfinite(tensor).all()):
        raise MediaError(
            "Frames contain NaN or infinite values: the picture is lost. "
            "If a model made them, run it in fp32 or bf16."
        )
    return (tensor.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
