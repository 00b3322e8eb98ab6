"""Prediction error, its weights, and the magnitude of tokens, against their formulas."""

from __future__ import annotations

import itertools
from functools import partial

import pytest
import torch
from diffusers import DDPMScheduler
from torch import Tensor

from a2v_core.backbones.unet3d.per_frame import denoise
from a2v_core.schedules import FlowSchedule, NoiseSchedule
from tests.tiny_t2v import TEXT_WIDTH, tiny_unet
from training.parts import PredictionError, motion_weights, temp_l1

ALPHAS = (0.99, 0.9, 0.5, 0.2)


def schedule(kind: str) -> NoiseSchedule:
    """With these cumulative alphas."""
    betas = [1 - alpha / before for before, alpha in itertools.pairwise((1.0, *ALPHAS))]
    return NoiseSchedule({"trained_betas": betas, "num_train_timesteps": 4, "prediction_type": kind})


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_min_snr_weights(kind: str) -> None:
    t = torch.tensor([3, 0, 1, 2])
    error = PredictionError(lambda noisy, t, context: noisy, schedule(kind), min_snr_gamma=5.0)
    snr = torch.tensor([0.25, 99.0, 9.0, 1.0])
    least = torch.tensor([0.25, 5.0, 5.0, 1.0])
    expected = {"epsilon": least / snr, "v_prediction": least / (snr + 1), "sample": least}
    torch.testing.assert_close(error.weight(t), expected[kind])
    assert torch.equal(PredictionError(error.predict, error.schedule).weight(t), torch.ones(4))


def test_error_of_a_model_that_is_known() -> None:
    """A model that always says 1 where the noise is 3 errs by 4, whatever the latents are."""
    asked: list[Tensor] = []

    def predict(noisy: Tensor, t: Tensor, context: Tensor) -> Tensor:
        asked.append(noisy)
        return torch.ones_like(noisy).double()

    error = PredictionError(predict, schedule("epsilon"), min_snr_gamma=5.0)
    clean, noise, t = torch.full((2, 4, 3, 2, 2), 2.0), torch.full((2, 4, 3, 2, 2), 3.0), torch.tensor([1, 2])
    squared = error.squared(clean, noise, t, torch.zeros(2, 3, 5, 8))
    assert squared.dtype == torch.float32
    assert torch.equal(squared, torch.full_like(clean, 4.0))
    torch.testing.assert_close(asked[0][0], torch.full((4, 3, 2, 2), 0.9**0.5 * 2 + 0.1**0.5 * 3))
    found = error.per_clip(clean, noise, t, torch.zeros(2, 3, 5, 8))
    torch.testing.assert_close(found, 4 * torch.tensor([5 / 9, 1.0]))


def test_error_of_a_unet_has_gradients_in_its_text() -> None:
    torch.manual_seed(0)
    unet = tiny_unet().eval().requires_grad_(False)
    config = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    clean, noise = torch.randn(2, 2, 4, 3, 4, 4)
    t = torch.tensor([999, 400])
    context = torch.randn(2, 3, 5, TEXT_WIDTH, requires_grad=True)
    noisy = DDPMScheduler(**config).add_noise(clean, noise, t)
    expected = (denoise(unet, noisy, t, context) - noise).square().mean((1, 2, 3, 4))
    found = PredictionError(partial(denoise, unet), NoiseSchedule(config)).per_clip(clean, noise, t, context)
    torch.testing.assert_close(found, expected)
    found.sum().backward()
    assert context.grad is not None
    assert context.grad.abs().amax(dim=(2, 3)).min() > 0  # of every frame of every clip


def test_motion_weights() -> None:
    clean = torch.zeros(2, 2, 4, 1, 2)
    clean[0, 0, 2, 0, 0] = 6.0  # the left pixel leaves and comes back: changes of 3, the mean of two channels
    change = torch.tensor([[0.0, 0.0], [3.0, 0.0], [3.0, 0.0], [3.0, 0.0]])
    expected = (1 + 2 * change / change.mean()) / 3
    found = motion_weights(clean, 2.0)
    assert found.shape == (2, 1, 4, 1, 2)
    torch.testing.assert_close(found[0, 0, :, 0], expected)
    torch.testing.assert_close(found.mean(dim=(1, 2, 3, 4)), torch.ones(2))
    assert torch.equal(found[1], torch.ones(1, 4, 1, 2))  # nothing moves
    assert torch.equal(motion_weights(clean[:, :, :1], 2.0), torch.ones(2, 1, 1, 1, 2))
    assert torch.equal(motion_weights(clean, 0.0), torch.ones_like(found))


def test_min_snr_of_a_flow() -> None:
    """An error of the flow is 1 / s times one of the clean latents, whose weight is min(snr, gamma)."""
    t = torch.tensor([0.0, 250.0, 500.0, 1000.0])
    error = PredictionError(lambda noisy, t, context: noisy, FlowSchedule(shift=3.0), min_snr_gamma=5.0)
    torch.testing.assert_close(error.weight(t), torch.tensor([0.0, 5 * 0.25**2, 0.25, 0.0]))


def test_magnitude_of_tokens() -> None:
    tokens = torch.tensor([[[1.0, -3.0], [0.0, 2.0]], [[-1.0, 0.0], [0.0, 0.0]]])
    assert temp_l1(tokens).tolist() == [1.5, 0.25]
