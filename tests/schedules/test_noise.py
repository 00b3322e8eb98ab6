"""Every scheduler by name, on a model whose solution is known."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.errors import A2VError
from a2v_core.schedules.noise import (
    DEFAULT_SCHEDULER,
    SCHEDULERS,
    NoiseSchedule,
    make_scheduler,
)
from tests.golden_recipe import recipe
from tests.tiny_t2v import SCHEDULER

# diffusers hands torch tensors to NumPy in ways that NumPy 2 will drop
pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")
CENTRE = recipe("centre", (1, 4, 8, 16, 16)) * 32
SPREAD = 0.5


class ExactModel:
    """The perfect noise or velocity predictor for data that is normal around CENTRE with deviation SPREAD."""

    def __init__(self, prediction_type: str) -> None:
        from diffusers import DDPMScheduler

        self.kind = prediction_type
        self.alphas = DDPMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
        ).alphas_cumprod.double()

    def clean(self, x: Tensor, a: float) -> Tensor:
        variance = SPREAD**2
        return (CENTRE * (1 - a) + variance * a**0.5 * x) / (a * variance + 1 - a)

    def alpha(self, t: Tensor) -> float:
        low = min(int(t), 998)
        return float(torch.lerp(self.alphas[low], self.alphas[low + 1], float(t) - low))

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        a = self.alpha(t)
        clean = self.clean(x, a)
        noise = (x - a**0.5 * clean) / (1 - a) ** 0.5
        if self.kind == "sample":
            return clean
        return noise if self.kind == "epsilon" else a**0.5 * noise - (1 - a) ** 0.5 * clean


def solve(name: str, steps: int, kind: str = "epsilon", seed: int = 3, **config: Any) -> Tensor:
    schedule = NoiseSchedule({**SCHEDULER, "prediction_type": kind, **config}, name, steps, seed)
    model = ExactModel(kind)
    x = schedule.start(schedule.noise(tuple(CENTRE.shape)))
    for t in schedule.timesteps:
        x = schedule.step(model(schedule.model_input(x, t), t), t, x)
    return x


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_recovers_the_known_distribution(name: str, kind: str) -> None:
    """25 steps land on the data: its centre, and a deviation near 0.5 (solvers of first order stay below)."""
    error = solve(name, 25, kind) - CENTRE
    assert abs(error.mean()) < 0.02
    # LCM throws the noise away at every step on a model that was not distilled for it.
    low, high = (0.25, 0.6) if name == "lcm" else (0.4, 0.56)
    assert low < error.std() < high


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_few_steps_are_finite_and_repeatable(name: str, steps: int) -> None:
    result = solve(name, steps)
    assert result.dtype == torch.float32
    assert result.isfinite().all()
    assert torch.equal(result, solve(name, steps))
    assert not torch.equal(result, solve(name, steps, seed=4))


@pytest.mark.parametrize("name", SCHEDULERS)
def test_preview_estimate_is_what_the_model_believes(name: str) -> None:
    """Also where latents live in another space (euler) and timesteps are not whole (karras)."""
    for kind in ("epsilon", "v_prediction"):
        schedule = NoiseSchedule({**SCHEDULER, "prediction_type": kind}, name, 7)
        model = ExactModel(kind)
        x = schedule.start(torch.randn(CENTRE.shape))
        t = schedule.timesteps[3]
        seen = schedule.model_input(x, t)
        estimate = schedule.clean(model(seen, t), seen, t)
        expected = model.clean(seen, model.alpha(t))
        torch.testing.assert_close(estimate, expected, atol=1e-3, rtol=1e-3)


def test_preview_of_a_model_that_predicts_the_picture() -> None:
    schedule = NoiseSchedule({**SCHEDULER, "prediction_type": "sample"}, "ddim")
    assert schedule.clean(CENTRE, torch.randn(CENTRE.shape), torch.tensor(500)) is CENTRE


def test_preview_at_pure_noise_is_finite() -> None:
    schedule = NoiseSchedule({**SCHEDULER, "rescale_betas_zero_snr": True}, "ddim")
    noise = torch.randn(CENTRE.shape)
    assert schedule.clean(noise, noise, torch.tensor(999)).isfinite().all()


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_training_noise_and_targets_are_those_of_diffusers(kind: str) -> None:
    from diffusers import DDPMScheduler

    config = {**SCHEDULER, "prediction_type": kind}
    schedule, theirs = NoiseSchedule(config), make_scheduler("ddpm", config)
    assert isinstance(theirs, DDPMScheduler)
    clean, noise = torch.randn(2, 3, 4, 2, 2, 2)
    t = torch.tensor([999, 400, 0])
    torch.testing.assert_close(schedule.add_noise(clean, noise, t), theirs.add_noise(clean, noise, t))
    velocity = theirs.get_velocity(clean, noise, t)
    expected = {"epsilon": noise, "v_prediction": velocity, "sample": clean}[kind]
    torch.testing.assert_close(schedule.target(clean, noise, t), expected)
    assert schedule.train_timesteps == 1000


def test_too_many_steps_are_refused() -> None:
    with pytest.raises(A2VError, match="steps is 1001: this model's noise schedule has 1000 steps"):
        NoiseSchedule(SCHEDULER, "ddim", 1001)


def test_noise_schedule_comes_from_the_model() -> None:
    scheduler = make_scheduler("euler", {**SCHEDULER, "beta_end": 0.02, "prediction_type": "v_prediction"})
    assert scheduler.config.beta_end == 0.02
    assert scheduler.config.prediction_type == "v_prediction"
    assert scheduler.config.beta_schedule == "scaled_linear"


def test_latents_are_not_clipped_unless_the_model_says_so() -> None:
    assert not make_scheduler("ddim", {}).config.clip_sample
    assert not make_scheduler("ddpm", {}).config.clip_sample
    assert make_scheduler("ddim", {"clip_sample": True}).config.clip_sample


def test_published_timesteps() -> None:
    """Those that the published inference logs for 25 steps of its default scheduler."""
    scheduler = make_scheduler(DEFAULT_SCHEDULER, SCHEDULER)
    scheduler.set_timesteps(25)
    timesteps = scheduler.timesteps.tolist()
    assert timesteps[:3] == [999, 959, 919]
    assert timesteps[-2:] == [80, 40]


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(A2VError, match=r"'dpm\+\+'.*dpmpp_2m, .*unipc.*euler_a"):
        make_scheduler("dpm++", SCHEDULER)


def test_sigmas_are_those_of_every_timestep() -> None:
    """As diffusers' solvers have them, and finite where the last alpha is zero."""
    schedule = NoiseSchedule({**SCHEDULER, "timestep_spacing": "leading"}, "euler", 5)
    expected = make_scheduler("euler", SCHEDULER).sigmas[:-1].flip(0)
    torch.testing.assert_close(schedule.sigmas, expected, atol=1e-5, rtol=1e-5)
    last = NoiseSchedule({**SCHEDULER, "rescale_betas_zero_snr": True}, "ddpm").sigmas[-1]
    assert 1000 < last < 10000
