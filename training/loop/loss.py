"""The published loss: MSE of the predicted noise, and mean magnitude of the temp tokens.

Legend: B clips, F frames, h w latent size, D token width, T audio steps, Q frequency bands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from a2v_core.backbones import Backbone
from a2v_core.tokens import stack_layers

from ..cache import Sample
from ..config import Config
from ..errors import ConfigError
from ..parts import PredictionError, temp_l1
from .order import Draw, draw
from .trainee import Trainee


class Losses(NamedTuple):
    """Per clip, unweighted: mse [B] and temp_l1 [B]; tokens [B, G, D] before pooling, G >= F."""

    mse: Tensor
    temp_l1: Tensor
    tokens: Tensor


@dataclass(frozen=True)
class Objective:
    """The loss as a function of the trained module and clips, with the frozen model.

    trainee     how the module's words come into the model
    prediction  first term: prediction error of the frozen model
    layers      indices of the used BEATs layers among those of a sample
    """

    config: Config
    backbone: Backbone
    trainee: Trainee[Any]
    prediction: PredictionError
    layers: tuple[int, ...]

    @classmethod
    def of(cls, config: Config, backbone: Backbone, trainee: Trainee[Any]) -> Objective:
        """From a config and a loaded model. ConfigError for timesteps beyond the model's noise schedule."""
        loss = config.loss
        prediction = PredictionError.of(backbone, loss.min_snr_gamma, loss.motion_weight)
        timesteps = prediction.schedule.train_timesteps
        if loss.timestep_min >= min(timesteps, (loss.timestep_max or timesteps) + 1):
            raise ConfigError(
                f"loss.timestep_min {loss.timestep_min} and timestep_max {loss.timestep_max} leave none of "
                f"the model's {timesteps} timesteps"
            )
        cached = config.cache.layers
        layers = tuple(cached.index(n) if cached else n for n in config.mapper.layers)
        return cls(config, backbone, trainee, prediction, layers)

    @property
    def device(self) -> torch.device:
        """Device of the frozen model."""
        return self.backbone.device

    @property
    def timesteps(self) -> int:
        """Length of the noise schedule."""
        return self.prediction.schedule.train_timesteps

    def draw(self, position: int, sample: Sample) -> Draw:
        """The random draws of a clip at a position in the order."""
        config, shift = self.config, self.prediction.schedule.shift
        return draw(config.seed, position, sample.latents.shape, config.loss, self.timesteps, shift)

    def words(
        self, module: nn.Module, samples: Sequence[Sample], dropped: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Tokens [B, G, D] before pooling, G >= F, and words -> [B, F, D]; `dropped` bool [B]: no sound."""
        data, mapper = self.config.data, self.trainee.mapper(module)
        layers = torch.stack([sample.layers for sample in samples]).to(self.device)
        features = stack_layers(layers, self.layers)
        tokens = mapper.map_features(features, samples[0].times, data.num_frames, data.fps)
        pooled = mapper.pool_words(self.trainee.without_sound(module, tokens, dropped))
        words = {word: rows[:, : data.num_frames] for word, rows in pooled.items()}
        return tokens, words

    def __call__(self, module: nn.Module, samples: Sequence[Sample], draws: Sequence[Draw]) -> Losses:
        """Losses of B clips, with timestep, noise and dropout from `draws`."""
        clean = torch.stack([sample.latents for sample in samples]).to(self.device)
        noise = torch.stack([draw.noise for draw in draws]).to(self.device)
        t = torch.tensor([draw.timestep for draw in draws])
        dropped = torch.tensor([draw.dropped for draw in draws])
        tokens, words = self.words(module, samples, dropped)
        context = self.trainee.context(module, [sample.caption for sample in samples], words, dropped)
        mse = self.prediction.per_clip(clean, noise, t, context)
        return Losses(mse, temp_l1(tokens[:, : self.config.data.num_frames]), tokens)


def gradient_ratio(gradient: Tensor, tokens: Tensor, num_frames: int, l1_weight: float) -> float:
    """Norm of the L1 term's gradient at the temp tokens, divided by the norm of the MSE term's gradient.

    `gradient` is that of the mean over clips of mse + l1_weight * temp_l1 with respect to `tokens` [B, G, D],
    of which the first `num_frames` frames are the clip. That of the L1 term is l1_weight * sign / size; the
    rest is that of the MSE term. Above 1 the tokens shrink whatever the MSE term asks for, and the adapter
    collapses. NaN where the MSE term has no gradient, as when the sound of all clips is dropped.
    """
    signs = tokens.detach().sign()
    signs[:, num_frames:] = 0
    l1_gradient = l1_weight * signs / tokens[:, :num_frames].numel()
    mse_norm = (gradient - l1_gradient).norm()
    return float(l1_gradient.norm() / mse_norm) if mse_norm > 0 else math.nan
