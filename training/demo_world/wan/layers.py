"""Where the layers of the demo's AutoencoderKLWan start: four frames side by side, each in its channels.

A latent frame holds four video frames in groups of channels. Layers between the rates of frames sort the
groups, and those around them keep groups apart, with the same weights for each. So single pictures, whose
latents are one group four times, teach what clips need. Convolutions see one frame at a time: what stands
still has the same latents at all times, and training takes half the work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import torch.nn.functional as nnf
from torch import Tensor


class Apart(NamedTuple):
    """A convolution that keeps groups apart: groups of its output and input, and which meet."""

    out: int
    into: int
    meet: Callable[[int, int], bool]


def _own(out: int, into: int) -> bool:
    return out == into


_TWO, _FOUR = Apart(2, 2, _own), Apart(4, 4, _own)
# By the names of convolutions; what is not here mixes all that it gets.
_APART: tuple[tuple[str, Apart], ...] = (
    (r"encoder\.down_blocks\.5\.resample\.1", Apart(2, 1, lambda out, into: True)),
    (r"encoder\.down_blocks\.[67]\..*conv.*", _TWO),
    (r"encoder\.down_blocks\.8\.resample\.1", Apart(4, 2, lambda out, into: out // 2 == into)),
    (r"encoder\.down_blocks\.(9|10)\..*conv.*", _FOUR),
    (r"(en|de)coder\.mid_block\.resnets\..*conv.*", _FOUR),
    (r"(en|de)coder\.mid_block\.attentions\.0\.proj", Apart(1, 1, lambda out, into: False)),
    (r"encoder\.conv_out", Apart(8, 4, lambda out, into: out % 4 == into)),
    (r"quant_conv", Apart(8, 8, _own)),
    (r"post_quant_conv|decoder\.conv_in", _FOUR),
    (r"decoder\.up_blocks\.0\.resnets\..*conv.*", _FOUR),
    (r"decoder\.up_blocks\.0\.upsamplers\.0\.resample\.1", Apart(2, 4, lambda out, into: into % 2 == out)),
    (r"decoder\.up_blocks\.1\.resnets\..*conv.*", _TWO),
    (r"decoder\.up_blocks\.1\.upsamplers\.0\.resample\.1", Apart(1, 2, lambda out, into: True)),
)


@torch.no_grad()
def start_side_by_side(vae: Any) -> dict[str, Tensor]:
    """Give the layers of an untrained VAE their start; returns for weights which of their values may learn
    from single pictures: others would mix groups, which are equal there, and are 0.
    """
    masks = {}
    for name, conv in vae.named_modules():
        if not isinstance(conv, (torch.nn.Conv2d, torch.nn.Conv3d)):
            continue
        if _changes_rate(conv):
            _sort_groups(conv, blocks=2 if name.startswith("encoder.down_blocks.8") else 1)
        elif apart := next((apart for pattern, apart in _APART if re.fullmatch(pattern, name)), None):
            masks[f"{name}.weight"] = _keep_apart(conv, apart)
    for conv in _convs(vae):
        if not _changes_rate(conv):
            conv.weight[:, :, :-1] = 0
    return masks


def _keep_apart(conv: Any, apart: Apart) -> Tensor:
    """Zero but for the groups that meet, with the same weights in all of them; returns where they meet."""
    out, into = conv.out_channels // apart.out, conv.in_channels // apart.into
    meeting = [(o, i) for o in range(apart.out) for i in range(apart.into) if apart.meet(o, i)]
    block = conv.weight[:out, :into].clone() * (apart.into * apart.out / max(1, len(meeting))) ** 0.5
    mask = torch.zeros_like(conv.weight)
    conv.weight.zero_()
    for o, i in meeting:
        place = slice(o * out, (o + 1) * out), slice(i * into, (i + 1) * into)
        conv.weight[place], mask[place] = block, 1
    conv.bias.copy_(conv.bias[:out].repeat(apart.out) * bool(meeting))
    return mask


def _sort_groups(conv: Any, blocks: int) -> None:
    """The start of a layer between rates. Where the rate is halved, the input has every group twice, in so
    many blocks: one of them is taken, of the earlier frame, then of the later one. Where it is doubled, half
    of the groups are for the earlier frame, twice, and half for the later one.
    """
    conv.weight.zero_()
    conv.bias.zero_()
    into, half = conv.in_channels, conv.in_channels // 2
    channels = torch.arange(into, device=conv.weight.device)
    rows = torch.arange(half, device=conv.weight.device)
    if conv.out_channels == into:
        taken = channels.view(blocks, 2, -1)[:, 0].flatten()
        conv.weight[rows, taken, -2] = 1
        conv.weight[half + rows, taken, -1] = 1
    else:
        for number in range(4):
            conv.weight[number * half + rows, channels[:half] + half * (number // 2), -1] = 1


@contextmanager
def learning_only(vae: Any, masks: dict[str, Tensor]) -> Iterator[None]:
    """While it lasts, gradients reach only what masks say of the weights that they name."""
    own = dict(vae.named_parameters())
    hooks = [own[name].register_hook(lambda grad, mask=mask: grad * mask) for name, mask in masks.items()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


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
