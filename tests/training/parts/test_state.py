"""Weights, moments and average as tensors of one file, and back."""

from __future__ import annotations

import torch
from torch import nn

from training.parts import MovingAverage, load_state, make_optimizer, state_tensors


def made(seed: int) -> tuple[nn.Linear, torch.optim.AdamW, MovingAverage]:
    torch.manual_seed(seed)
    module = nn.Linear(3, 2)
    optimizer = make_optimizer(module, 0.1, betas=(0.9, 0.99), weight_decay=0.0)
    return module, optimizer, MovingAverage(module, 0.9)


def step(module: nn.Linear, optimizer: torch.optim.AdamW, average: MovingAverage, number: int) -> None:
    optimizer.zero_grad()
    module(torch.ones(1, 3)).square().sum().backward()
    optimizer.step()
    average.update(module, number)


def test_state_goes_on_bit_by_bit() -> None:
    one, two = made(0), made(1)
    step(*one, 0)
    stored = {key: value.detach().clone() for key, value in state_tensors(*one, name="mapper").items()}
    assert set(stored) == {
        *(f"{part}.{key}" for part in ("mapper", "average") for key in ("weight", "bias")),
        *(
            f"optimizer.{slot}.{key}"
            for slot in ("step", "exp_avg", "exp_avg_sq")
            for key in ("weight", "bias")
        ),
    }
    load_state(stored, *two, name="mapper")
    step(*one, 1)
    step(*two, 1)
    first, second = state_tensors(*one), state_tensors(*two)
    assert first.keys() == second.keys()
    assert all(torch.equal(value, second[key]) for key, value in first.items())


def test_state_before_the_first_step() -> None:
    one, two = made(0), made(1)
    stored = state_tensors(*one)
    assert not any(key.startswith("optimizer.") for key in stored)
    load_state(stored, *two)
    assert torch.equal(one[0].weight, two[0].weight)
    assert not two[1].state
