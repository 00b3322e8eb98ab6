"""Files of the cache, of which single tensors are read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from ..errors import DataError


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A file of the cache, open while it lasts. DataError when it is damaged or lacks what is read of it."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{path}: damaged or no cache file ({error}); delete it and run training.precompute again"
        ) from error


def header(path: Path, key: str) -> dict[str, Any]:
    """The JSON object that a file of the cache has under `key` of its metadata. DataError as `opened`."""
    with opened(path) as file:
        content: dict[str, Any] = json.loads((file.metadata() or {})[key])
        return content
