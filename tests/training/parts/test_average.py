"""The moving average against its closed form."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.parts import MovingAverage


def test_average_of_a_jump() -> None:
    """After a jump from 0 to 1 what is missing is the product of the decays: (1 + n) / (10 + n), then 0.5."""
    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    average = MovingAverage(module, decay=0.5)
    nn.init.ones_(module.weight)
    missing = 1.0
    for step in range(12):
        average.update(module, step)
        missing *= min(0.5, (1 + step) / (10 + step))
        assert float(average.values["weight"]) == pytest.approx(1 - missing)
    # (1/10)(2/11) .. (8/17) are below a half, the four steps from number 8 on are not.
    closed = 40320 / (10 * 11 * 12 * 13 * 14 * 15 * 16 * 17) / 16
    assert missing == pytest.approx(closed)


def test_float32_and_counters() -> None:
    module = nn.BatchNorm1d(2).half()
    average = MovingAverage(module, decay=0.9)
    assert average.values["weight"].dtype == torch.float32
    assert average.values["num_batches_tracked"].dtype == torch.long
    assert module.num_batches_tracked is not None
    module.num_batches_tracked += 3
    average.update(module, step=100)
    assert int(average.values["num_batches_tracked"]) == 3
