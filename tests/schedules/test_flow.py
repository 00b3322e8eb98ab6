"""The flow-matching schedule, against diffusers' own loops and a flow whose solution is known."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.errors import A2VError
from a2v_core.schedules import FLOW_SCHEDULERS, FlowSchedule

SHAPE = (1, 16, 3, 4, 4)
CENTRE, SPREAD = 0.7, 0.5


def flow(x: Tensor, level: float) -> Tensor:
    """The exact flow, noise - clean, where clean latents are normal around CENTRE with SPREAD."""
    variance = (1 - level) ** 2 * SPREAD**2 + level**2
    off = x - (1 - level) * CENTRE
    clean = CENTRE + (1 - level) * SPREAD**2 / variance * off
    noise = level / variance * off
    return noise - clean


def solve(name: str, steps: int, shift: float, seed: int = 0) -> Tensor:
    schedule = FlowSchedule(name, steps, seed, shift=shift)
    x = schedule.start(schedule.noise(SHAPE))
    for t in schedule.timesteps:
        x = schedule.step(flow(schedule.model_input(x, t), float(t) / 1000), t, x)
    return x


@pytest.mark.parametrize("shift", [1.0, 5.0])
@pytest.mark.parametrize("name", FLOW_SCHEDULERS)
def test_recovers_the_known_distribution(name: str, shift: float) -> None:
    made = solve(name, 50, shift)
    assert abs(float(made.mean()) - CENTRE) < 0.05
    assert abs(float(made.std()) - SPREAD) < 0.05
    assert torch.equal(made, solve(name, 50, shift))
    assert not torch.equal(made, solve(name, 50, shift, seed=1))


def their_run(scheduler: Any, steps: int) -> tuple[Tensor, Tensor]:
    """Noise levels and latents of a plain diffusers loop."""
    scheduler.set_timesteps(steps)
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))
    for t in scheduler.timesteps:
        x = scheduler.step(flow(x, float(t) / 1000), t, x, return_dict=False)[0]
    return scheduler.timesteps, x


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_equals_the_loops_of_diffusers(shift: float) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler

    euler = FlowMatchEulerDiscreteScheduler(shift=shift)
    unipc = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift)
    for name, theirs in (("euler", euler), ("unipc", unipc)):
        timesteps, expected = their_run(theirs, 20)
        assert torch.equal(FlowSchedule(name, 20, shift=shift).timesteps, timesteps)
        assert torch.equal(solve(name, 20, shift), expected)


def test_a_shift_moves_levels_towards_noise() -> None:
    plain, shifted = (FlowSchedule("unipc", 4, shift=shift).timesteps / 1000 for shift in (1.0, 5.0))
    torch.testing.assert_close(shifted, 5 * plain / (1 + 4 * plain), atol=2e-3, rtol=0)
    assert float(plain[0]) == pytest.approx(1, abs=2e-3)


def test_training() -> None:
    """Noise in shares, its flow, what a right flow says of the clean latents, and weights by hand."""
    schedule = FlowSchedule()
    clean, noise = torch.randn(2, 3, 16, 3, 4, 4)
    t = torch.tensor([1000.0, 250.0, 500.0])
    noisy = schedule.add_noise(clean, noise, t)
    assert torch.equal(noisy[0], noise[0])
    torch.testing.assert_close(noisy[1], 0.75 * clean[1] + 0.25 * noise[1])
    target = schedule.target(clean, noise, t)
    assert torch.equal(target, noise - clean)
    for n in range(3):
        torch.testing.assert_close(schedule.clean(target[n], noisy[n], t[n]), clean[n], atol=1e-5, rtol=1e-5)
    # Signal to noise 0, 9 and 1, at most 5; an error of the flow counts by the square of its level.
    expected = torch.tensor([0.0, 5 * 0.0625, 0.25])
    torch.testing.assert_close(schedule.min_snr_weight(t, 5.0), expected)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(A2VError, match="'pndm' does not solve flow-matching models: choose one of euler"):
        FlowSchedule("pndm")
    with pytest.raises(A2VError, match="steps is 1001: this model's noise schedule has 1000 steps"):
        FlowSchedule("euler", 1001)
