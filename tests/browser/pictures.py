"""What a screenshot shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def colours(path: Path) -> int:
    """How many different colours a picture has."""
    with Image.open(path) as picture:
        return len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0))
