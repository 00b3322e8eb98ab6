"""Processes of one training on several machines have to start from the same state and see the same clips."""

from __future__ import annotations

import hashlib
import platform
from typing import Any

from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import nn

from ..config import Config
from ..errors import TrainingError
from .order import ClipOrder

_WHY = {
    "step": "the step that it goes on from: output_dir must be one folder for all, on a disk that they share",
    "clips": "its clips: data and cache must be the same for all",
    "weights": "its weights: models, checkpoints and packages must be the same for all",
}


def check_agreement(
    config: Config, accelerator: Accelerator, step: int, order: ClipOrder, module: nn.Module
) -> None:
    """TrainingError, in every process, when one of them would train something else than process 0.

    step    finished steps of the checkpoint that the process has found
    order   of its clips
    module  what is trained, in the state of that step
    """
    if accelerator.num_processes == 1:
        return
    own = {
        "step": step,
        "clips": _hash(repr([(name, list(numbers)) for name, numbers in order.choices]).encode()),
        "weights": _hash(*(value.detach().cpu().numpy().tobytes() for value in module.state_dict().values())),
        "at": f"process {accelerator.process_index} on {platform.node()} with output_dir {config.output_dir}",
    }
    first, *others = gather_object([own])
    for other in others:
        differing = [_WHY[key] for key in _WHY if other[key] != first[key]]
        if differing:
            raise TrainingError(
                f"{_shown(other)} and {_shown(first)} are not the same training. The first differs in "
                f"{'; in '.join(differing)}"
            )


def _shown(process: dict[str, Any]) -> str:
    return f"{process['at']}, step {process['step']},"


def _hash(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
