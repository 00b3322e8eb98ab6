"""What the demo trainings share: a loop that saves as it goes and resumes where it stopped."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn


def device() -> torch.device:
    """A GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def save_atomically(state: object, path: Path) -> None:
    """`torch.save` beside `path`, then rename, so that a kill never leaves half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".partial")
    torch.save(state, beside)
    os.replace(beside, path)


class Average:
    """Exponential moving average of a module's parameters; its weights are what ships."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {key: value.detach().clone().float() for key, value in module.state_dict().items()}

    def update(self, module: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for key, value in module.state_dict().items():
            if value.dtype.is_floating_point:
                self.values[key].lerp_(value.detach().float(), 1 - decay)
            else:
                self.values[key].copy_(value)


def cosine(step: int, steps: int, warm_up: int = 100) -> float:
    """Learning-rate factor: linear warm-up, then a cosine to a hundredth."""
    if step < warm_up:
        return (step + 1) / warm_up
    share = min(1.0, (step - warm_up) / max(1, steps - warm_up))
    return 0.01 + 0.99 * 0.5 * (1 + float(torch.cos(torch.tensor(share * torch.pi))))


def fit(
    name: str,
    work: Path,
    module: nn.Module,
    loss: Callable[[int], dict[str, torch.Tensor]],
    *,
    steps: int,
    learning_rate: float,
    decay: float = 0.998,
    save_every: int = 200,
    minutes: float = 0.0,
) -> dict[str, torch.Tensor]:
    """Minimises `loss(step)["loss"]` with AdamW over the parameters of `module` that ask for gradients.

    The state goes to `work/name.pt` every `save_every` steps, a line of numbers to `work/name.jsonl` every
    20. A call with the same arguments continues there. `minutes` > 0 lets the schedule end by the clock
    instead of by `steps`. Returns the averaged weights (a state dict in float32).
    """
    path = work / f"{name}.pt"
    parameters = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=1e-3, betas=(0.9, 0.99))
    average = Average(module, decay)
    first, spent = 0, 0.0
    if path.exists():
        state = torch.load(path, map_location=device(), weights_only=True)
        module.load_state_dict(state["module"])
        optimizer.load_state_dict(state["optimizer"])
        average.values = state["average"]
        first, spent = state["step"], state["seconds"]
    began = time.monotonic() - spent
    sums: dict[str, float] = {}

    def save(step: int) -> None:
        save_atomically(
            {
                "module": module.state_dict(),
                "optimizer": optimizer.state_dict(),
                "average": average.values,
                "step": step,
                "seconds": time.monotonic() - began,
            },
            path,
        )

    module.train()
    step = first
    while step < steps:
        seconds = time.monotonic() - began
        if minutes and seconds > 60 * minutes:
            break
        reached = max(step / steps, seconds / (60 * minutes)) if minutes else step / steps
        factor = cosine(round(reached * steps), steps) if step >= 100 else cosine(step, steps)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * factor
        torch.manual_seed(step)
        losses = loss(step)
        losses["loss"].backward()
        norm = nn.utils.clip_grad_norm_(parameters, 1.0)
        if not torch.isfinite(norm):
            raise FloatingPointError(f"{name}: gradient norm {norm} at step {step}")
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        average.update(module, step)
        step += 1
        for key, value in losses.items():
            sums[key] = sums.get(key, 0.0) + float(value.detach())
        if step % 20 == 0:
            line = {"step": step, "seconds": round(time.monotonic() - began, 1)}
            print(json.dumps(line | {key: round(value / 20, 5) for key, value in sums.items()}), flush=True)
            with (work / f"{name}.jsonl").open("a") as log:
                log.write(json.dumps(line | {key: value / 20 for key, value in sums.items()}) + "\n")
            sums = {}
        if step % save_every == 0:
            save(step)
    save(step)
    return average.values
