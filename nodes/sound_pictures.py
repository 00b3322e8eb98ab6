"""Pictures that nodes show and give."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from comfy_api.latest import io
from torch import Tensor


def width_input() -> io.Int.Input:
    """The width of a picture over time."""
    return io.Int.Input(
        "width",
        default=768,
        min=384,
        max=8192,
        step=8,
        tooltip="Width of the picture in pixels; more for a long sound.",
    )


def as_image(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> Tensor:
    """A picture uint8 [H, W, 3] as IMAGE [1, H, W, 3]."""
    return torch.from_numpy(pixels.astype(np.float32) / 255)[None]
