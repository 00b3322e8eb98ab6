"""The learning rate at its steps, and what the optimizer holds."""

from __future__ import annotations

import pytest
from torch import nn

from training.parts import LearningRate, make_optimizer, set_learning_rate


def test_constant() -> None:
    assert {LearningRate(1.0).at(step, 10) for step in range(10)} == {1.0}
    assert [LearningRate(1.0, warm_up_steps=2).at(step, 10) for step in range(4)] == [0.5, 1.0, 1.0, 1.0]


def test_cosine_after_the_warm_up() -> None:
    cosine = LearningRate(2.0, "cosine", warm_up_steps=4, final_share=0.1)
    rates = [cosine.at(step, 15) for step in range(15)]
    assert rates[:5] == [0.5, 1.0, 1.5, 2.0, 2.0]
    assert rates[9] == pytest.approx(1.1)  # half way: the mean of 2 and 0.2
    assert rates[14] == pytest.approx(0.2)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert cosine.at(99, 15) == pytest.approx(0.2)


def test_cosine_within_the_warm_up() -> None:
    rate = LearningRate(1.0, "cosine", warm_up_steps=2, cosine_start=0)
    assert [rate.at(step, 5) for step in range(5)] == pytest.approx(
        [0.5, 0.853553, 0.5, 0.146447, 0.0], abs=1e-6
    )


def test_cosine_of_ones_own() -> None:
    rate = LearningRate(1.0, "cosine", cosine=lambda angle: -1.0, final_share=0.3)
    assert rate.at(0, 9) == 0.3


def test_optimizer_holds_what_is_trained() -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    module[0].requires_grad_(False)
    optimizer = make_optimizer(module, 0.1, betas=(0.5, 0.6), weight_decay=0.2, eps=1e-3)
    (group,) = optimizer.param_groups
    assert [id(p) for p in group["params"]] == [id(p) for p in module[1].parameters()]
    assert (group["lr"], group["betas"], group["weight_decay"], group["eps"]) == (0.1, (0.5, 0.6), 0.2, 1e-3)
    set_learning_rate(optimizer, 0.7)
    assert group["lr"] == 0.7
