"""Models that predict noise, velocity or the picture: their schedule, and diffusers' solvers for it by name.

Names follow ComfyUI's samplers where there is one; `_karras` is the sigma spacing of Karras et al. 2022
(arXiv 2206.00364). Each is checked in the tests against a model whose solution is known.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..errors import A2VError


@dataclass(frozen=True)
class SchedulerSpec:
    """A class of `diffusers` and the settings that make it the scheduler of a name."""

    class_name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


_KARRAS = {"use_karras_sigmas": True}
_SDE = {"algorithm_type": "sde-dpmsolver++"}

SCHEDULERS: dict[str, SchedulerSpec] = {
    # DPM-Solver++ (arXiv 2211.01095); 2M is what the paper's code samples with
    "dpmpp_2m": SchedulerSpec("DPMSolverMultistepScheduler"),
    "dpmpp_2m_karras": SchedulerSpec("DPMSolverMultistepScheduler", _KARRAS),
    "dpmpp_2m_sde": SchedulerSpec("DPMSolverMultistepScheduler", _SDE),
    "dpmpp_2m_sde_karras": SchedulerSpec("DPMSolverMultistepScheduler", {**_SDE, **_KARRAS}),
    "dpmpp_3m_sde": SchedulerSpec("DPMSolverMultistepScheduler", {**_SDE, "solver_order": 3}),
    "dpmpp_2s": SchedulerSpec("DPMSolverSinglestepScheduler"),
    "dpmpp_sde": SchedulerSpec("DPMSolverSDEScheduler"),
    "dpmpp_sde_karras": SchedulerSpec("DPMSolverSDEScheduler", _KARRAS),
    "unipc": SchedulerSpec("UniPCMultistepScheduler"),
    "unipc_karras": SchedulerSpec("UniPCMultistepScheduler", _KARRAS),
    "ddim": SchedulerSpec("DDIMScheduler"),
    "ddpm": SchedulerSpec("DDPMScheduler"),
    "euler": SchedulerSpec("EulerDiscreteScheduler"),
    "euler_karras": SchedulerSpec("EulerDiscreteScheduler", _KARRAS),
    "euler_a": SchedulerSpec("EulerAncestralDiscreteScheduler"),
    "heun": SchedulerSpec("HeunDiscreteScheduler"),
    "dpm_2": SchedulerSpec("KDPM2DiscreteScheduler"),
    "dpm_2_a": SchedulerSpec("KDPM2AncestralDiscreteScheduler"),
    "lms": SchedulerSpec("LMSDiscreteScheduler"),
    "pndm": SchedulerSpec("PNDMScheduler", {"skip_prk_steps": True}),
    "deis": SchedulerSpec("DEISMultistepScheduler"),
    "sa_solver": SchedulerSpec("SASolverScheduler"),
    "lcm": SchedulerSpec("LCMScheduler"),
    "tcd": SchedulerSpec("TCDScheduler"),
}
DEFAULT_SCHEDULER = "dpmpp_2m"
_LEAST_ALPHA = 4.9e-8  # about the one that ComfyUI puts in the place of 0

# Clipping the predicted picture to -1..1 suits pixels, not latents, but is the default of DDIM and DDPM.
_LATENT_DEFAULTS = {"clip_sample": False}


class NoiseSchedule:
    """`Schedule` of a model with diffusers' noise: x = sqrt(a) clean + sqrt(1 - a) noise, a the cumulative
    alpha of a timestep.

    config: the model's scheduler_config.json. A2VError for an unknown name, more steps than the model was
    trained on, or a solver that needs a library which is missing.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        name: str = DEFAULT_SCHEDULER,
        steps: int = 1,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        self._scheduler = make_scheduler(name, config)
        self._config, self._seed = config, seed
        self.prediction = str(config.get("prediction_type", "epsilon"))
        self.train_timesteps = int(self._scheduler.config.num_train_timesteps)
        if steps > self.train_timesteps:
            raise A2VError(f"steps is {steps}: this model's noise schedule has {self.train_timesteps} steps")
        self._scheduler.set_timesteps(steps, device=device)
        self._generator = torch.Generator("cpu").manual_seed(seed)
        self._options: dict[str, Any] = {}

    @property
    def shift(self) -> float:
        """See `Schedule.shift`."""
        return 1.0

    @property
    def timesteps(self) -> Tensor:
        """See `Schedule.timesteps`."""
        timesteps: Tensor = self._scheduler.timesteps
        return timesteps

    @functools.cached_property
    def alphas(self) -> Tensor:
        """Cumulative alphas of the training, float32 [train_timesteps]."""
        alphas: Tensor = make_scheduler("ddpm", self._config).alphas_cumprod.float()
        return alphas

    @functools.cached_property
    def sigmas(self) -> Tensor:
        """Noise over signal, sqrt((1 - a) / a), of the training, float32 [train_timesteps]; finite also where
        the last alpha is 0 (arXiv 2305.08891)."""
        alphas = self.alphas.double().clamp(min=_LEAST_ALPHA)
        return ((1 - alphas) / alphas).sqrt().float()

    def noise(self, shape: tuple[int, ...]) -> Tensor:
        """See `Schedule.noise`."""
        return torch.randn(shape, generator=self._generator)

    def start(self, noise: Tensor) -> Tensor:
        """See `Schedule.start`."""
        x: Tensor = noise * self._scheduler.init_noise_sigma
        self._options = step_options(self._scheduler, self._generator, self._seed, x)
        return x

    def model_input(self, x: Tensor, t: Tensor) -> Tensor:
        """See `Schedule.model_input`."""
        scaled: Tensor = self._scheduler.scale_model_input(x, t)
        return scaled

    def step(self, prediction: Tensor, t: Tensor, x: Tensor) -> Tensor:
        """See `Schedule.step`."""
        stepped: Tensor = self._scheduler.step(prediction, t, x, **self._options).prev_sample
        return stepped

    def clean(self, prediction: Tensor, model_input: Tensor, t: Tensor) -> Tensor:
        """See `Schedule.clean`. Timesteps between whole ones are interpolated."""
        if self.prediction == "sample":
            return prediction
        alphas = self._scheduler.alphas_cumprod.double().cpu()
        at = float(t)
        low = min(max(int(at), 0), len(alphas) - 1)
        high = min(low + 1, len(alphas) - 1)
        # Below 1e-6 the picture is all noise: the estimate would be a division by nearly nothing.
        a = max(float(torch.lerp(alphas[low], alphas[high], at - low)), 1e-6)
        if self.prediction == "v_prediction":
            return a**0.5 * model_input - (1 - a) ** 0.5 * prediction
        return (model_input - (1 - a) ** 0.5 * prediction) / a**0.5

    def add_noise(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """See `Schedule.add_noise`."""
        share = self._share(clean, t)
        return share.sqrt() * clean + (1 - share).sqrt() * noise

    def target(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """See `Schedule.target`: the noise ("epsilon"), the clean latents ("sample"), or the velocity
        of arXiv 2202.00512 ("v_prediction")."""
        if self.prediction == "v_prediction":
            share = self._share(clean, t)
            return share.sqrt() * noise - (1 - share).sqrt() * clean
        return clean if self.prediction == "sample" else noise

    def min_snr_weight(self, t: Tensor, gamma: float) -> Tensor:
        """See `Schedule.min_snr_weight`."""
        alphas = self.alphas[t.to(self.alphas.device)]
        snr = alphas / (1 - alphas)
        divisor = {"epsilon": snr, "v_prediction": snr + 1, "sample": torch.ones_like(snr)}[self.prediction]
        return snr.clamp(max=gamma) / divisor

    def _share(self, clean: Tensor, t: Tensor) -> Tensor:
        return self.alphas[t.to(self.alphas.device)].to(clean.device).view(-1, *[1] * (clean.ndim - 1))


def check_scheduler(name: str) -> None:
    """A2VError that lists the known names when `name` is none of them."""
    if name not in SCHEDULERS:
        raise A2VError(f"Unknown scheduler {name!r}: choose one of {', '.join(SCHEDULERS)}")


def make_scheduler(name: str, config: Mapping[str, Any]) -> Any:
    """A new diffusers scheduler with the noise schedule of `config` (a model's scheduler_config.json).

    Settings of `config` that the scheduler does not have are left out. A2VError for an unknown name, or when
    a library that this scheduler needs is missing.
    """
    import diffusers

    check_scheduler(name)
    spec = SCHEDULERS[name]
    cls = getattr(diffusers, spec.class_name)
    known = inspect.signature(cls.__init__).parameters
    settings = {**_LATENT_DEFAULTS, **config, **spec.settings}
    try:
        return cls(**{key: value for key, value in settings.items() if key in known})
    except ImportError as error:
        raise A2VError(
            f"Scheduler {name!r} needs a library that is not installed ({_first_line(error)}): install it, "
            f"or choose another scheduler, such as {DEFAULT_SCHEDULER}"
        ) from error


def step_options(scheduler: Any, generator: torch.Generator, seed: int, latents: Tensor) -> dict[str, Any]:
    """What makes the noise of `scheduler.step` follow the seed, the same on every device: drawn on the CPU.

    Call it after `set_timesteps`. Returns the keyword arguments for `step`.
    """
    if "generator" in inspect.signature(scheduler.step).parameters:
        return {"generator": generator}
    if hasattr(scheduler, "noise_sampler"):
        scheduler.noise_sampler = _cpu_brownian_noise(scheduler.sigmas, seed, latents)
    return {}


def _cpu_brownian_noise(sigmas: Tensor, seed: int, latents: Tensor) -> Any:
    from diffusers.schedulers.scheduling_dpmsolver_sde import BrownianTreeNoiseSampler

    # A little wider than the sigmas, whose ends otherwise fall out of the interval by rounding.
    low, high = sigmas[sigmas > 0].min().item() * 0.99, sigmas.max().item() * 1.01
    tree = BrownianTreeNoiseSampler(torch.zeros_like(latents, device="cpu"), low, high, seed)

    def noise(sigma: Tensor, sigma_next: Tensor) -> Tensor:
        drawn: Tensor = tree(torch.as_tensor(sigma).cpu(), torch.as_tensor(sigma_next).cpu())
        return drawn.to(latents.device)

    return noise


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0].strip() if lines else type(error).__name__
