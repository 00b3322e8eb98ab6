"""Models that predict a flow (rectified flow, arXiv 2209.03003): their schedule, and its solvers.

Noise level s runs from 1 to 0: x = (1 - s) clean + s noise, and the model predicts noise - clean. A timestep
is s times the number of training timesteps. A shift k moves the levels of a run towards noise, s to
k s / (1 + (k - 1) s), as large pictures and long clips want it (arXiv 2403.03206, section 5.3.2).

Legend: B clips.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..errors import A2VError

_FLOW = {"prediction_type": "flow_prediction", "use_flow_sigmas": True}

# Names as in `noise.SCHEDULERS`: class of diffusers, its settings, its name for the shift.
FLOW_SCHEDULERS: dict[str, tuple[str, Mapping[str, Any], str]] = {
    "euler": ("FlowMatchEulerDiscreteScheduler", {}, "shift"),
    "heun": ("FlowMatchHeunDiscreteScheduler", {}, "shift"),
    "unipc": ("UniPCMultistepScheduler", _FLOW, "flow_shift"),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", _FLOW, "flow_shift"),
}


class FlowSchedule:
    """`Schedule` of a flow-matching model.

    A2VError for a solver that flow models do not have, which lists those that they have, and for more steps
    than `train_timesteps`.
    """

    def __init__(
        self,
        name: str = "euler",
        steps: int = 1,
        seed: int = 0,
        *,
        shift: float = 1.0,
        train_timesteps: int = 1000,
        device: torch.device | str = "cpu",
    ) -> None:
        import diffusers

        if name not in FLOW_SCHEDULERS:
            raise A2VError(
                f"Scheduler {name!r} does not solve flow-matching models: choose one of "
                + ", ".join(FLOW_SCHEDULERS)
            )
        if steps > train_timesteps:
            raise A2VError(f"steps is {steps}: this model's noise schedule has {train_timesteps} steps")
        class_name, settings, shift_name = FLOW_SCHEDULERS[name]
        self._scheduler = getattr(diffusers, class_name)(
            num_train_timesteps=train_timesteps, **settings, **{shift_name: shift}
        )
        self._scheduler.set_timesteps(steps, device=device)
        self._generator = torch.Generator("cpu").manual_seed(seed)
        self.train_timesteps, self.shift = train_timesteps, shift

    @property
    def timesteps(self) -> Tensor:
        """See `Schedule.timesteps`."""
        timesteps: Tensor = self._scheduler.timesteps
        return timesteps

    def noise(self, shape: tuple[int, ...]) -> Tensor:
        """See `Schedule.noise`."""
        return torch.randn(shape, generator=self._generator)

    def start(self, noise: Tensor) -> Tensor:
        """See `Schedule.start`: the noise itself."""
        return noise

    def model_input(self, x: Tensor, t: Tensor) -> Tensor:
        """See `Schedule.model_input`: the latents themselves."""
        return x

    def step(self, prediction: Tensor, t: Tensor, x: Tensor) -> Tensor:
        """See `Schedule.step`."""
        stepped: Tensor = self._scheduler.step(prediction, t, x).prev_sample
        return stepped

    def clean(self, prediction: Tensor, model_input: Tensor, t: Tensor) -> Tensor:
        """See `Schedule.clean`."""
        return model_input - float(t) / self.train_timesteps * prediction

    def add_noise(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """See `Schedule.add_noise`; t may lie between whole timesteps."""
        level = self._level(clean, t)
        return (1 - level) * clean + level * noise

    def target(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """See `Schedule.target`: the flow, noise - clean."""
        return noise - clean

    def min_snr_weight(self, t: Tensor, gamma: float) -> Tensor:
        """See `Schedule.min_snr_weight`: an error of the flow is 1 / s of one of the clean latents."""
        level = t.float() / self.train_timesteps
        snr = ((1 - level) / level).square()
        return snr.clamp(max=gamma) * level.square()

    def _level(self, clean: Tensor, t: Tensor) -> Tensor:
        return (t.to(clean) / self.train_timesteps).view(-1, *[1] * (clean.ndim - 1))
