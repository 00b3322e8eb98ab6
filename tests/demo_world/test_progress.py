"""The training loop: resuming gives the weights of an uninterrupted run."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from training.demo_world.progress import cosine, fit


def _run(work: Path, stop: int) -> dict[str, Tensor]:
    work.mkdir(exist_ok=True)
    torch.manual_seed(1)
    module = nn.Linear(3, 2)

    def loss(step: int) -> dict[str, Tensor]:
        if step == stop:
            raise KeyboardInterrupt
        return {"loss": (module(torch.randn(8, 3)) - 1).square().mean()}

    return fit("toy", work, module, loss, steps=60, learning_rate=1e-2, save_every=20)


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    whole = _run(tmp_path / "whole", stop=-1)
    try:
        _run(tmp_path / "broken", stop=33)
    except KeyboardInterrupt:
        assert (tmp_path / "broken" / "toy.pt").exists()
    resumed = _run(tmp_path / "broken", stop=-1)
    for key, value in whole.items():
        assert torch.equal(value, resumed[key])


def test_learning_rate_warms_up_and_falls() -> None:
    assert cosine(0, 1000) == 0.01
    assert cosine(99, 1000) == 1.0
    assert cosine(550, 1000) < 0.51
    assert abs(cosine(1000, 1000) - 0.01) < 1e-6
