"""What sampler and training ask of a schedule of noise.

Legend: B clips, c latent channels, f latent frames, h w latent size.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Schedule(Protocol):
    """The noise that a model was trained on, and one run of a solver through it; made by `Backbone.schedule`.

    All of its random numbers are drawn on the CPU from its seed: a seed means the same on every device.
    """

    @property
    def train_timesteps(self) -> int:
        """How many timesteps the model was trained on; the largest is the noisiest."""

    @property
    def shift(self) -> float:
        """How far noise levels are moved towards noise, see `flow`; 1 = not at all."""

    @property
    def timesteps(self) -> Tensor:
        """The timesteps of the run, noisiest first."""

    def noise(self, shape: tuple[int, ...]) -> Tensor:
        """Float32 noise of unit variance, the next of this seed."""

    def start(self, noise: Tensor) -> Tensor:
        """The first latents of the run from noise of unit variance."""

    def model_input(self, x: Tensor, t: Tensor) -> Tensor:
        """What the model sees of latents x at timestep t."""

    def step(self, prediction: Tensor, t: Tensor, x: Tensor) -> Tensor:
        """The latents after a step of the solver."""

    def clean(self, prediction: Tensor, model_input: Tensor, t: Tensor) -> Tensor:
        """The clean latents that a prediction implies, for previews."""

    def add_noise(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Training: latents [B, c, f, h, w] with the noise of timesteps t [B]."""

    def target(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Training: what the model should predict for `add_noise`."""

    def min_snr_weight(self, t: Tensor, gamma: float) -> Tensor:
        """Training: min-SNR-gamma weight of the loss [B] (arXiv 2303.09556, section 3.4), for what the model
        predicts."""
