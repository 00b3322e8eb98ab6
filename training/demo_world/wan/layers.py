"""Layers in time of an AutoencoderKLWan: passed by for single pictures, and where they start for clips."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor


@contextmanager
def of_single_pictures(vae: Any) -> Iterator[None]:
    """While it lasts, the VAE takes clips of one frame only, and is almost twice as fast at it: of a
    convolution in time only the last tap meets the frame, the others zeros before it.
    """
    convs = _convs(vae)
    for conv in convs:
        conv.forward = _last_tap(conv)
    try:
        yield
    finally:
        for conv in convs:
            del conv.forward


@torch.no_grad()
def start_in_time(vae: Any) -> None:
    """Make of a VAE that knows single pictures one that shows the last picture of every latent frame for all
    of them: convolutions see their own moment alone, and those between the rates of frames pass it on.
    """
    for conv in _convs(vae):
        conv.weight[:, :, :-1] = 0
        into = conv.in_channels
        if conv.kernel_size == (3, 1, 1):
            same = torch.eye(into).repeat(conv.out_channels // into, 1)
            conv.weight[:, :, -1, 0, 0] = same.to(conv.weight)
            conv.bias.zero_()


def _convs(vae: Any) -> list[Any]:
    from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d

    return [module for module in vae.modules() if isinstance(module, WanCausalConv3d)]


def _last_tap(conv: Any) -> Any:
    def forward(x: Tensor, cache: Tensor | None = None) -> Tensor:
        padding = conv._padding[2], conv._padding[0]
        return nnf.conv2d(x[:, :, 0], conv.weight[:, :, -1], conv.bias, padding=padding)[:, :, None]

    return forward
