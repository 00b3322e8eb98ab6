"""State of module, optimizer and EMA as the tensors of one checkpoint file."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .average import MovingAverage

_SLOTS = ("step", "exp_avg", "exp_avg_sq")


def state_tensors(
    module: nn.Module, optimizer: torch.optim.Optimizer, average: MovingAverage | None, name: str = "module"
) -> dict[str, Tensor]:
    """`<name>.<key>`, `average.<key>` and `optimizer.<slot>.<key>` for every weight `key` of the module."""
    tensors = {f"{name}.{key}": value for key, value in module.state_dict().items()}
    if average is not None:
        tensors |= {f"average.{key}": value for key, value in average.values.items()}
    for key, parameter in module.named_parameters():
        for slot, value in optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{slot}.{key}"] = value
    return tensors


def load_state(
    tensors: Mapping[str, Tensor],
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: MovingAverage | None,
    name: str = "module",
) -> None:
    """Load the tensors of `state_tensors` into module, AdamW optimizer and average, on their devices.

    RuntimeError of torch when they are those of another module.
    """
    module.load_state_dict(_part(tensors, f"{name}."))
    if average is not None:
        for key, value in _part(tensors, "average.").items():
            average.values[key].copy_(value)
    for key, parameter in module.named_parameters():
        slots = {slot: tensors.get(f"optimizer.{slot}.{key}") for slot in _SLOTS}
        # The step count stays on the CPU, the moments go where the weights are.
        state = {
            slot: value if slot == "step" else value.to(parameter.device)
            for slot, value in slots.items()
            if value is not None
        }
        if state:
            optimizer.state[parameter] = state


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
