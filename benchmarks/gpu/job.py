"""What a part of `benchmarks.gpu` is told, and what its steps are."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from a2v_core.errors import A2VError

from .record import Note


@dataclass(frozen=True)
class Job:
    """How a part runs.

    device    "cuda" or "cpu"
    tiny      sizes of a test: the same code, and numbers that say nothing
    models    folder of models that parts share
    folder    for files of the part's own; it goes with the part
    deadline  of `time.monotonic`
    """

    device: torch.device
    tiny: bool
    models: Path
    folder: Path
    deadline: float

    @property
    def left(self) -> float:
        """Seconds until the part is ended."""
        return self.deadline - time.monotonic()

    @property
    def on_gpu(self) -> bool:
        """Whether there is memory of a device to be measured."""
        return self.device.type == "cuda"


class Step(NamedTuple):
    """One measurement; `needs`: seconds below which it is not begun, on a GPU."""

    name: str
    run: Callable[[Job, Note], None]
    needs: float = 0.0


class Wrong(A2VError):
    """Something was computed that is not right."""
