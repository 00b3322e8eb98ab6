"""Brings a VAE's latents into the scale of Wan 2.1, whose mean and deviation programs have built in.

Only its two convolutions of one pixel change: the one that makes the latents and the one that takes them.

Legend: c latent channels.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Statistics(NamedTuple):
    """Mean and standard deviation of latents of every channel, [c]."""

    mean: Tensor
    std: Tensor


def built_in(vae: Any) -> Statistics:
    """Those that a VAE's config says: of Wan 2.1."""
    config = vae.config
    return Statistics(torch.tensor(config.latents_mean).double(), torch.tensor(config.latents_std).double())


@torch.no_grad()
def fold(vae: Any, found: Statistics, noise: float) -> None:
    """Give the latents of an AutoencoderKLWan its built-in mean and deviation; they had those found.

    noise  deviation of its posterior from now on, as a share of that of the latents: training takes its mean,
           and adds such noise itself
    """
    wanted = built_in(vae)
    scale = wanted.std / found.std
    offset = wanted.mean - found.mean * scale
    into, out = vae.quant_conv, vae.post_quant_conv
    channels = len(scale)
    _assign(into.weight[:channels], into.weight[:channels].double() * scale[:, None, None, None, None])
    _assign(into.bias[:channels], into.bias[:channels].double() * scale + offset)
    into.weight[channels:] = 0
    _assign(into.bias[channels:], 2 * (math.log(noise) + wanted.std.log()))
    weight = out.weight.double() / scale[None, :, None, None, None]
    _assign(out.bias, out.bias.double() - weight[:, :, 0, 0, 0] @ offset)
    _assign(out.weight, weight)


def _assign(place: Tensor, value: Tensor) -> None:
    place.copy_(value.to(place))
