"""The training recipe of all demo models: resumable, with warm-up, cosine schedule and EMA."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from ..parts import Checkpointing, LearningRate, minimize

WARM_UP = 100  # steps
FINAL_SHARE = 0.01  # of the learning rate, at the end of its cosine


def device() -> torch.device:
    """A GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def warm_up_and_cosine(peak: float) -> LearningRate:
    """Linear warm-up, then a cosine to a hundredth."""
    return LearningRate(peak, "cosine", WARM_UP, FINAL_SHARE, cosine=_float32_cosine)


def _float32_cosine(angle: float) -> float:
    # In the precision of the training of the shipped demo models, to reproduce their weights.
    return float(torch.cos(torch.tensor(angle)))


def fit(
    name: str,
    work: Path,
    module: nn.Module,
    loss: Callable[[int], dict[str, Tensor]],
    *,
    steps: int,
    learning_rate: float,
    decay: float = 0.998,
    minutes: float = 0.0,
) -> dict[str, Tensor]:
    """Fit `module`, with checkpoints in `work/<name>.state.safetensors`; see `parts.minimize`.

    learning_rate  its highest value
    decay          of the EMA of the weights
    minutes        when above 0, the schedule also ends after this time, if that comes before `steps`

    Returns the EMA weights, a state dict in float32.
    """
    return minimize(
        module,
        loss,
        warm_up_and_cosine(learning_rate),
        steps=steps,
        decay=decay,
        checkpointing=Checkpointing(work, name),
        minutes=minutes,
    )
