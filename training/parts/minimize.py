"""A plain loop for small trainings on one device: AdamW, clipped gradients, resumed where it stopped."""

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
from .curve import Curve
from .optimizer import LearningRate, make_optimizer, set_learning_rate
from .state import load_state, state_tensors

BETAS = (0.9, 0.99)
WEIGHT_DECAY = 1e-3
CLIP_NORM = 1.0
_KEY = "a2v_minimize"

# The losses of a step by name; "loss" is what is minimised, the others are only reported.
Loss = Callable[[int], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Keep:
    """Where a training leaves its state and its numbers, and how often.

    The state is `folder/<name>.state.safetensors`; `folder/<name>.jsonl` takes a line with the means of the
    last `log_every` steps, which is also printed.
    """

    folder: Path
    name: str
    save_every: int = 200
    log_every: int = 20

    @property
    def state(self) -> Path:
        """The file of the state."""
        return self.folder / f"{self.name}.state.safetensors"

    @property
    def log(self) -> Path:
        """The file of the numbers."""
        return self.folder / f"{self.name}.jsonl"


def minimize(
    module: nn.Module,
    loss: Loss,
    rate: LearningRate,
    *,
    steps: int,
    decay: float | None = None,
    keep: Keep | None = None,
    minutes: float = 0.0,
) -> dict[str, Tensor]:
    """Minimise `loss(step)["loss"]` over the parameters of `module` that ask for gradients.

    rate     its cosine would reach the final share one step after the last
    decay    of a moving average of the weights; None: none
    keep     where the state goes; a call with the same arguments goes on from it. None: nowhere
    minutes  when above 0, the schedule ends by the clock if that comes before `steps`

    torch's global generator is seeded with the step: a resumed training draws what an uninterrupted one does.
    Returns a state dict: the averaged weights in float32, or without `decay` those of the module.
    TrainingError when loss or gradient are not finite.
    """
    descent = _Descent(module, rate, steps, decay, minutes)
    if keep is None:
        while descent.goes_on:
            descent.one_step(loss)
    else:
        _run_and_keep(descent, loss, keep)
    return module.state_dict() if descent.average is None else descent.average.values


def _run_and_keep(descent: _Descent, loss: Loss, keep: Keep) -> None:
    if keep.state.exists():
        descent.resume(keep.state)
    curve = Curve(keep.log, descent.step)
    values: list[dict[str, float]] = []
    try:
        while descent.goes_on:
            values.append(descent.one_step(loss))
            if descent.step % keep.log_every == 0:
                _report(curve, descent, values)
                values = []
            if descent.step % keep.save_every == 0:
                descent.save(keep.state)
        descent.save(keep.state)
    finally:
        curve.close()


def _report(curve: Curve, descent: _Descent, values: Sequence[Mapping[str, float]]) -> None:
    """A line with the means of some steps, into the curve and, shorter, to be looked at."""
    head = {"step": descent.step, "seconds": round(descent.seconds, 1)}
    means = {name: sum(step[name] for step in values) / len(values) for name in values[0]}
    curve.add(head | means)
    print(json.dumps(head | {name: round(mean, 5) for name, mean in means.items()}), flush=True)


class _Descent:
    """A training in progress: `step` finished steps in `seconds`, those before it was resumed included."""

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
    def goes_on(self) -> bool:
        """Whether there are steps, and time, left."""
        in_time = not self.minutes or self.seconds <= 60 * self.minutes
        return self.step < self.steps and in_time

    def one_step(self, loss: Loss) -> dict[str, float]:
        """One optimizer step; its losses."""
        set_learning_rate(self.optimizer, self.rate.at(self._place(), self.steps + 1))
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
        """Write the state in one step."""
        content = json.dumps({"step": self.step, "seconds": self.seconds})
        write_safetensors(path, state_tensors(self.module, self.optimizer, self.average), {_KEY: content})

    def resume(self, path: Path) -> None:
        """Go on from a state."""
        stored = read_checkpoint(path)
        load_state(stored.tensors, self.module, self.optimizer, self.average)
        content = json.loads(stored.metadata[_KEY])
        self.step, self._began = content["step"], self._began - content["seconds"]

    def _place(self) -> int:
        """The step of the schedule: with a time limit further on than the steps, where time is shorter."""
        if not self.minutes or self.step < self.rate.warm_up_steps:
            return self.step
        reached = max(self.step / self.steps, self.seconds / (60 * self.minutes))
        return round(reached * self.steps)
