"""Forward diffusion and prediction targets, against diffusers' own scheduler."""

from __future__ import annotations

import pytest
import torch
from diffusers import DDPMScheduler

from training.diffusion import add_noise, prediction_target


@pytest.fixture
def scheduler() -> DDPMScheduler:
    return DDPMScheduler(beta_start=0.00085, beta_end=0.02, beta_schedule="scaled_linear")


def draws() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 3, 4, 5, 6, 7, generator=generator)
    return clean, noise, torch.tensor([0, 500, 999])


def test_noise_and_velocity_are_those_of_diffusers(scheduler: DDPMScheduler) -> None:
    clean, noise, t = draws()
    alphas = scheduler.alphas_cumprod
    torch.testing.assert_close(
        add_noise(clean, noise, t, alphas), scheduler.add_noise(clean, noise, t), rtol=0, atol=1e-6
    )
    wanted = scheduler.get_velocity(clean, noise, t)
    torch.testing.assert_close(
        prediction_target("v_prediction", clean, noise, t, alphas), wanted, rtol=0, atol=1e-6
    )


def test_the_other_types_predict_what_they_say(scheduler: DDPMScheduler) -> None:
    clean, noise, t = draws()
    assert prediction_target("epsilon", clean, noise, t, scheduler.alphas_cumprod) is noise
    assert prediction_target("sample", clean, noise, t, scheduler.alphas_cumprod) is clean
