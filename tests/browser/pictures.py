"""What a screenshot shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

Colour = tuple[int, int, int]


def colours(path: Path) -> int:
    """How many different colours a picture has."""
    return len(np.unique(_pixels(path).reshape(-1, 3), axis=0))


def share_of(path: Path, low: Colour, high: Colour) -> float:
    """The share of pixels whose three values all lie between those of two colours."""
    pixels = _pixels(path)
    return float(((pixels >= low) & (pixels <= high)).all(axis=-1).mean())


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))
