"""Layers in time of an AutoencoderKLWan, of which the demo's VAE uses those between the rates of frames.

All other convolutions see one frame at a time, with zeros in their earlier taps. So what stands still has
the same latents at all times, and training takes half the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor


@contextmanager
def frame_by_frame(vae: Any) -> Iterator[None]:
    """While it lasts, convolutions in space use their last tap in time only, as if the others were zero."""
    convs = [conv for conv in _convs(vae) if not _changes_rate(conv)]
    for conv in convs:
        conv.forward = _last_tap(conv)
    try:
        yield
    finally:
        for conv in convs:
            del conv.forward


@torch.no_grad()
def start_in_time(vae: Any) -> None:
    """Make of a VAE that knows single pictures one that does as well for clips at rest.

    Convolutions in space see one frame at a time. Those that halve the rate take half of their channels from
    the earlier frame and half from the later one, so that both are in the latents; those that double it
    begin with the same for both.
    """
    for conv in _convs(vae):
        conv.weight[:, :, :-1] = 0
        if not _changes_rate(conv):
            continue
        into, out = conv.in_channels, conv.out_channels
        conv.bias.zero_()
        conv.weight.zero_()
        own = torch.eye(into, device=conv.weight.device)
        if out > into:
            conv.weight[:, :, -1, 0, 0] = own.repeat(out // into, 1)
        else:
            late = torch.arange(into, device=own.device) % 2 > 0
            conv.weight[late, :, -1, 0, 0] = own[late]
            conv.weight[~late, :, -2, 0, 0] = own[~late]


def _convs(vae: Any) -> list[Any]:
    from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d

    return [module for module in vae.modules() if isinstance(module, WanCausalConv3d)]


def _changes_rate(conv: Any) -> bool:
    return bool(conv.kernel_size == (3, 1, 1))


def _last_tap(conv: Any) -> Any:
    def forward(x: Tensor, cache: Tensor | None = None) -> Tensor:
        frames, padding = x.shape[2], (conv._padding[2], conv._padding[0])
        pictures = x.transpose(1, 2).flatten(0, 1)
        out = nnf.conv2d(pictures, conv.weight[:, :, -1], conv.bias, padding=padding)
        return out.unflatten(0, (-1, frames)).transpose(1, 2)

    return forward
