"""Order of the clips and all random draws, as functions of the seed and the position alone.

The training data is one endless sequence of clips. Position p of it holds a file (a new permutation every
epoch), which of its clips, its timestep, its noise and whether its sound is dropped. A step takes the next
global batch of it. So neither the number of processes, nor gradient accumulation, nor an interruption changes
the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..config import Loss
from ..data import seeded_generator


@dataclass(frozen=True)
class Draw:
    """Random draws of a clip in a step: timestep, noise [c, f, h, w], whether its sound is dropped."""

    timestep: int
    noise: Tensor
    dropped: bool


class ClipOrder:
    """The endless sequence of clips.

    `choices`: id and clip numbers of every file; a file without numbers has a new clip in every epoch.
    """

    def __init__(self, seed: int, choices: Sequence[tuple[str, Sequence[int]]]) -> None:
        self.seed = seed
        self.choices = choices

    def at(self, position: int) -> tuple[str, int]:
        """File id and number of the clip at a position."""
        epoch, offset = divmod(position, len(self.choices))
        name, numbers = self.choices[_permutation(self.seed, epoch, len(self.choices))[offset]]
        return name, numbers[epoch % len(numbers)] if numbers else epoch


@lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, size: int) -> NDArray[np.int64]:
    return seeded_generator("order", seed, epoch).permutation(size)


@dataclass(frozen=True)
class BatchSampler:
    """Splits the global batch of a step: `accumulate` rounds of `processes` batches of `batch_size` clips."""

    batch_size: int
    accumulate: int
    processes: int = 1
    process: int = 0

    @property
    def global_batch(self) -> int:
        """Clips per optimizer step."""
        return self.batch_size * self.accumulate * self.processes

    def batches(self, first_step: int, last_step: int) -> Iterator[list[int]]:
        """Positions of this process's batches, in order, for steps first_step .. last_step - 1."""
        for step in range(first_step, last_step):
            for turn in range(self.accumulate):
                start = step * self.global_batch + (turn * self.processes + self.process) * self.batch_size
                yield list(range(start, start + self.batch_size))


def draw(
    seed: int, position: int, shape: Sequence[int], loss: Loss, timesteps: int, shift: float = 1.0
) -> Draw:
    """Random draws at a position, for latents of `shape` and a noise schedule of `timesteps`.

    `shift` of a flow schedule moves the noise levels of logit_normal (arXiv 2403.03206, section 5.3.2).
    """
    random = seeded_generator("draw", seed, position)
    top = timesteps if loss.timestep_max is None else min(loss.timestep_max + 1, timesteps)
    share = {
        "uniform": lambda: random.random(),
        "high_noise": lambda: random.random() ** 0.5,
        "logit_normal": lambda: _shifted(1 / (1 + np.exp(-random.normal())), shift),
    }[loss.timesteps]()
    timestep = min(loss.timestep_min + int(share * (top - loss.timestep_min)), top - 1)
    dropped = bool(random.random() < loss.condition_dropout)
    return Draw(timestep, noise(int(random.integers(2**62)), shape), dropped)


def _shifted(level: float, shift: float) -> float:
    """A noise level in 0..1, moved towards noise."""
    return shift * level / (1 + (shift - 1) * level)


def noise(seed: int, shape: Sequence[int]) -> Tensor:
    """Gaussian noise drawn on the CPU: the same on every device."""
    return torch.randn(tuple(shape), generator=torch.Generator("cpu").manual_seed(seed))
