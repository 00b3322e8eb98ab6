"""How the demo models are fitted: the recipe of all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import Tensor, nn

from training.demo_world.fitting import fit, warm_up_and_cosine


def test_learning_rate_warms_up_and_falls() -> None:
    rate = warm_up_and_cosine(2.0)
    assert [rate.at(step, 1001) for step in (0, 49, 99, 100)] == [0.02, 1.0, 2.0, 2.0]
    assert rate.at(550, 1001) == pytest.approx(2 * 0.505)
    assert rate.at(1000, 1001) == pytest.approx(0.02)


def test_fitted_weights_are_averaged_and_kept(tmp_path: Path) -> None:
    def start(weight: float) -> nn.Linear:
        module = nn.Linear(1, 1, bias=False)
        nn.init.constant_(module.weight, weight)
        return module

    def run(module: nn.Linear) -> dict[str, Tensor]:
        def loss(step: int) -> dict[str, Tensor]:
            return {"loss": module.weight.square().sum()}

        return fit("toy", tmp_path, module, loss, steps=2, learning_rate=1e-1)

    module = start(1.0)
    average = float(run(module)["weight"])
    # AdamW's first steps are as long as the rate, here 0.001 and 0.002; the average keeps 1/10, then 2/11.
    first, last = 1 - 0.001, 1 - 0.003
    expected = (2 * (1 + 9 * first) / 10 + 9 * last) / 11
    assert average == pytest.approx(expected, abs=1e-5)
    assert module.weight.item() == pytest.approx(last, abs=1e-5)
    # A finished training is read, whatever the module was.
    assert float(run(start(7.0))["weight"]) == average
