"""Noise schedulers by name: diffusers' schedulers that solve noise- and velocity-predicting models.

Names follow ComfyUI's samplers where there is one; `_karras` is the sigma spacing of Karras et al. 2022
(arXiv 2206.00364). Each is checked in the tests against a model whose solution is known.
"""

from __future__ import annotations

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

# Clipping the predicted picture to -1..1 suits pixels, not latents, but is the default of DDIM and DDPM.
_LATENT_DEFAULTS = {"clip_sample": False}


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


def predict_original(scheduler: Any, prediction: Tensor, model_input: Tensor, t: Tensor) -> Tensor:
    """The clean latents that a prediction at timestep t implies, for previews.

    `model_input` is what the model saw, after `scale_model_input`: sqrt(a) x0 + sqrt(1 - a) noise with a the
    cumulative alpha of t, for every scheduler. Timesteps between whole ones are interpolated.
    """
    kind = scheduler.config.prediction_type
    if kind == "sample":
        return prediction
    alphas = scheduler.alphas_cumprod.double().cpu()
    at = float(t)
    low = min(max(int(at), 0), len(alphas) - 1)
    high = min(low + 1, len(alphas) - 1)
    # Below 1e-6 the picture is all noise: the estimate would be a division by nearly nothing.
    a = max(float(torch.lerp(alphas[low], alphas[high], at - low)), 1e-6)
    if kind == "v_prediction":
        return a**0.5 * model_input - (1 - a) ** 0.5 * prediction
    return (model_input - (1 - a) ** 0.5 * prediction) / a**0.5


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0].strip() if lines else type(error).__name__
