"""The plain loop: what it finds, how it goes on, when it ends, what it writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training.errors import TrainingError
from training.parts import Checkpointing, LearningRate, minimize, read_lines

RATE = LearningRate(1e-2, "cosine", warm_up_steps=10, final_share=0.01)


def made() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(3, 2)


def run(work: Path, *, stop: int = -1, steps: int = 60, decay: float | None = 0.9) -> dict[str, Tensor]:
    module = made()

    def loss(step: int) -> dict[str, Tensor]:
        if step == stop:
            raise KeyboardInterrupt
        return {"loss": (module(torch.randn(8, 3)) - 1).square().mean(), "number": torch.tensor(step)}

    checkpointing = Checkpointing(work, "toy", save_every=20, log_every=10)
    return minimize(module, loss, RATE, steps=steps, decay=decay, checkpointing=checkpointing)


@pytest.mark.parametrize("decay", [None, 0.9])
def test_resumed_equals_uninterrupted(tmp_path: Path, decay: float | None) -> None:
    whole = run(tmp_path / "whole", decay=decay)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", stop=33, decay=decay)
    assert [path.name for path in sorted((tmp_path / "broken").iterdir())] == [
        "toy.jsonl",
        "toy.state.safetensors",
    ]
    resumed = run(tmp_path / "broken", decay=decay)
    assert whole.keys() == resumed.keys() == {"weight", "bias"}
    assert all(torch.equal(value, resumed[key]) for key, value in whole.items())
    lines = [read_lines(tmp_path / name / "toy.jsonl") for name in ("whole", "broken")]
    for one, two in zip(*lines, strict=True):
        assert {**one, "seconds": 0.0} == {**two, "seconds": 0.0}


def test_lines_are_means(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, steps=25)
    lines = read_lines(tmp_path / "toy.jsonl")
    assert [line["step"] for line in lines] == [10, 20]
    assert [line["number"] for line in lines] == [4.5, 14.5]
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["loss"] for line in printed] == [round(line["loss"], 5) for line in lines]


def test_steps_are_those_of_adamw() -> None:
    """Three steps by hand: clipped gradient, decoupled weight decay, bias-corrected moments."""
    module = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(module.weight, 2.0)
    rate = LearningRate(0.1)
    weight, first, second = 2.0, 0.0, 0.0
    for step in range(3):
        gradient = min(1.0, 3.0 * weight / (abs(3.0 * weight) + 1e-6))
        first, second = 0.9 * first + 0.1 * gradient, 0.99 * second + 0.01 * gradient**2
        mean, square = first / (1 - 0.9 ** (step + 1)), second / (1 - 0.99 ** (step + 1))
        weight = weight * (1 - 0.1 * 1e-3) - 0.1 * mean / (square**0.5 + 1e-8)
    found = minimize(module, lambda step: {"loss": 1.5 * module.weight.square().sum()}, rate, steps=3)
    assert float(found["weight"]) == pytest.approx(weight, rel=1e-9)


def test_time_ends_the_schedule() -> None:
    module = made()
    seen: list[int] = []

    def loss(step: int) -> dict[str, Tensor]:
        seen.append(step)
        return {"loss": module.weight.square().sum()}

    minimize(module, loss, RATE, steps=10**6, minutes=1 / 1200)
    assert seen == list(range(len(seen)))
    assert 0 < len(seen) < 10**5


def test_what_is_not_finite_ends_it() -> None:
    module = made()
    before = module.weight.detach().clone()
    with pytest.raises(TrainingError, match="step 0: loss nan, gradient norm nan; lower the learning rate"):
        minimize(module, lambda step: {"loss": module.weight.sum() * torch.nan}, RATE, steps=3)
    assert torch.equal(module.weight, before)


def test_no_steps_change_nothing() -> None:
    module = made()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    found = minimize(module, lambda step: {}, RATE, steps=0)
    assert all(torch.equal(value, found[key]) for key, value in before.items())
