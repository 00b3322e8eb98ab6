"""Forward diffusion and prediction targets, against diffusers' own scheduler."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler

from training.parts import NoiseSchedule

CONFIG: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.02, "beta_schedule": "scaled_linear"}


def draws() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 3, 4, 5, 6, 7, generator=generator)
    return clean, noise, torch.tensor([0, 500, 999])


def test_alphas_are_those_of_every_scheduler_of_the_config() -> None:
    schedule = NoiseSchedule.of(CONFIG)
    assert schedule.timesteps == 1000
    assert schedule.prediction_type == "epsilon"
    assert torch.equal(schedule.alphas, DDPMScheduler(**CONFIG).alphas_cumprod)
    assert torch.equal(schedule.alphas, DDIMScheduler(**CONFIG).alphas_cumprod)


def test_noise_and_velocity_are_those_of_diffusers() -> None:
    clean, noise, t = draws()
    schedule, theirs = NoiseSchedule.of(CONFIG | {"prediction_type": "v_prediction"}), DDPMScheduler(**CONFIG)
    noisy, velocity = theirs.add_noise(clean, noise, t), theirs.get_velocity(clean, noise, t)
    torch.testing.assert_close(schedule.add_noise(clean, noise, t), noisy, rtol=0, atol=1e-6)
    torch.testing.assert_close(schedule.target(clean, noise, t), velocity, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("kind", "place"), [("sample", 0), ("epsilon", 1)])
def test_the_other_types_predict_what_they_say(kind: str, place: int) -> None:
    clean, noise, t = draws()
    target = NoiseSchedule.of(CONFIG | {"prediction_type": kind}).target(clean, noise, t)
    assert target is (clean, noise)[place]


def test_signal_to_noise_ratio() -> None:
    schedule = NoiseSchedule(torch.tensor([0.9, 0.5, 0.2]), "epsilon")
    torch.testing.assert_close(schedule.snr(torch.tensor([2, 1, 0])), torch.tensor([0.25, 1.0, 9.0]))
