"""A plain training loop for one device: AdamW, clipped gradients, resumable."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from a2v_core.checkpoints import read_checkpoint, write_safetensors

from ..errors import TrainingError
from .average import MovingAverage
from .metrics_log import MetricsLog
from .optimizer import LearningRate, make_optimizer, set_learning_rate
from .state import load_state, state_tensors

BETAS = (0.9, 0.99)
WEIGHT_DECAY = 1e-3
CLIP_NORM = 1.0
_KEY = "a2v_minimize"

# The losses of a step by name; "loss" is what is minimised, the others are only reported.
Loss = Callable[[int], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Checkpointing:
    """Where and how often a training writes its state and its metrics.

    The state is `folder/<name>.state.safetensors`; `folder/<name>.jsonl` gets a line with the means of every
    `log_every` steps, which is also printed.
    """

    folder: Path
    name: str
    save_every: int = 200
    log_every: int = 20

    @property
    def state(self) -> Path:
        """File of the state."""
        return self.folder / f"{self.name}.state.safetensors"

    @property
    def log(self) -> Path:
        """File of the metrics."""
        return self.folder / f"{self.name}.jsonl"


def minimize(
    module: nn.Module,
    loss: Loss,
    rate: LearningRate,
    *,
    steps: int,
    decay: float | None = None,
    checkpointing: Checkpointing | None = None,
    minutes: float = 0.0,
) -> dict[str, Tensor]:
    """Minimise `loss(step)["loss"]` over the parameters of `module` that ask for gradients.

    rate           its cosine would reach the final share one step after the last
    decay          of an EMA of the weights; None: no EMA
    checkpointing  state and metrics on disk; a call with the same arguments resumes from them. None: none
    minutes        when above 0, the schedule also ends after this time, if that comes before `steps`

    torch's global generator is seeded with the step, so that a resumed training equals an uninterrupted one.
    Returns a state dict: the EMA weights in float32, or without `decay` those of the module.
    TrainingError when loss or gradient are not finite.
    """
    training = _Training(module, rate, steps, decay, minutes)
    if checkpointing is None:
        while training.has_steps_left:
            training.train_step(loss)
    else:
        _run_with_checkpoints(training, loss, checkpointing)
    return module.state_dict() if training.average is None else training.average.values


def _run_with_checkpoints(training: _Training, loss: Loss, checkpointing: Checkpointing) -> None:
    if checkpointing.state.exists():
        training.resume(checkpointing.state)
    log = MetricsLog(checkpointing.log, training.step)
    values: list[dict[str, float]] = []
    try:
        while training.has_steps_left:
            values.append(training.train_step(loss))
            if training.step % checkpointing.log_every == 0:
                _report(log, training, values)
                values = []
            if training.step % checkpointing.save_every == 0:
                training.save(checkpointing.state)
        training.save(checkpointing.state)
    finally:
        log.close()


def _report(log: MetricsLog, training: _Training, values: Sequence[Mapping[str, float]]) -> None:
    """Log the means over some steps, and print them rounded."""
    head = {"step": training.step, "seconds": round(training.seconds, 1)}
    means = {name: sum(step[name] for step in values) / len(values) for name in values[0]}
    log.add(head | means)
    print(json.dumps(head | {name: round(mean, 5) for name, mean in means.items()}), flush=True)


class _Training:
    """A training in progress: `step` finished steps in `seconds`, including those before a resume."""

    def __init__(
        self, module: nn.Module, rate: LearningRate, steps: int, decay: float | None, minutes: float
    ) -> None:
        self.module, self.rate, self.steps, self.minutes = module.train(), rate, steps, minutes
        self.optimizer = make_optimizer(module, rate.peak, betas=BETAS, weight_decay=WEIGHT_DECAY)
        self.parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        self.average = None if decay is None else MovingAverage(module, decay)
        self.step = 0
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def has_steps_left(self) -> bool:
        """Whether there are steps, and time, left."""
        in_time = not self.minutes or self.seconds <= 60 * self.minutes
        return self.step < self.steps and in_time

    def train_step(self, loss: Loss) -> dict[str, float]:
        """One optimizer step; returns its losses."""
        set_learning_rate(self.optimizer, self.rate.at(self._schedule_step(), self.steps + 1))
        torch.manual_seed(self.step)
        losses = loss(self.step)
        losses["loss"].backward()
        norm = float(nn.utils.clip_grad_norm_(self.parameters, CLIP_NORM))
        values = {name: float(value.detach()) for name, value in losses.items()}
        if not (math.isfinite(values["loss"]) and math.isfinite(norm)):
            raise TrainingError(
                f"step {self.step}: loss {values['loss']}, gradient norm {norm}; lower the learning rate"
            )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.update(self.module, self.step)
        self.step += 1
        return values

    def save(self, path: Path) -> None:
        """Write the state atomically."""
        content = json.dumps({"step": self.step, "seconds": self.seconds})
        write_safetensors(path, state_tensors(self.module, self.optimizer, self.average), {_KEY: content})

    def resume(self, path: Path) -> None:
        """Load a state."""
        stored = read_checkpoint(path)
        load_state(stored.tensors, self.module, self.optimizer, self.average)
        content = json.loads(stored.metadata[_KEY])
        self.step, self._began = content["step"], self._began - content["seconds"]

    def _schedule_step(self) -> int:
        """Step of the learning rate schedule; with a time limit, further on where time runs out first."""
        if not self.minutes or self.step < self.rate.warm_up_steps:
            return self.step
        progress = max(self.step / self.steps, self.seconds / (60 * self.minutes))
        return round(progress * self.steps)
