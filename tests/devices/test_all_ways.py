"""What the library can do with a model, on a device that is not the CPU: nothing is left behind there."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.gpu.exact import relative
from benchmarks.gpu.job import Job
from benchmarks.gpu.paths import CPU, Way, paths
from tests.pretend_device import DEVICE, Mixed, pretend_device

NAMES = (
    *("speed exact", "speed deep_2", "speed attention_2", "guidance branch by branch", "sound guidance"),
    *("long: windowed attention", "few-step LoRA", "one part at a time", "offloaded weights"),
    *("fp8, offloaded", "Wan with a sound", "hearing"),
)


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Way]:
    return dict(paths(Job(CPU, True, Path(), tmp_path_factory.mktemp("ways"), time.monotonic())))


@pytest.mark.parametrize("name", NAMES)
def test_a_way_gives_what_it_gives_on_the_cpu(name: str, ways: dict[str, Way]) -> None:
    with pretend_device():
        found = ways[name](DEVICE)
        there: Tensor = found.cpu()
    expected = ways[name](CPU)
    assert type(there) is Tensor
    if name.startswith("fp8"):  # in bfloat16, by other kernels
        assert relative(there, expected) < 0.1
    else:
        torch.testing.assert_close(there, expected, atol=2e-4, rtol=2e-4)


def test_mixing_is_seen() -> None:
    with torch.no_grad(), pretend_device():
        there = torch.arange(6.0).reshape(2, 3).to(DEVICE)
        assert there.device == DEVICE
        assert float((there * torch.tensor(2.0)).sum()) == 30
        assert torch.equal(torch.tensor([1.0], device=DEVICE).cpu(), torch.ones(1))
        assert torch.equal(there[torch.tensor([1])].cpu(), torch.tensor([[3.0, 4.0, 5.0]]))
        with pytest.raises(Mixed):
            there + torch.ones(2, 3)
        with pytest.raises(Mixed):
            torch.ones(2, 3)[torch.tensor([0, 1]).to(DEVICE)]
        with pytest.raises((RuntimeError, TypeError)):
            there.numpy()
