"""One evaluation of a stock UNet3DConditionModel, unit by unit, doing nothing twice.

The blocks of the UNet are called as they are; only the order of diffusers' `forward`
(unet_3d_condition.py) is written out here, so that work can be shared and kept:

* The first layers see no text. Branches of guidance that differ in their text alone share them: the first
  convolution, the first temporal transformer, the first residual block with its temporal convolution.
* Deep features change slowly from step to step. With a `FeatureCache` they are kept and only the shallow
  units rerun, the idea of DeepCache (arXiv 2312.00858) for a UNet with temporal layers.

A unit is one residual block with what follows it at its place, or one change of resolution. Unit n on the way
down leaves the skip connection that the n-th unit from the end takes on the way up.

Legend: B branches (clips), F frames, L text positions, C text width, c latent channels, h w latent size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...errors import A2VError
from ..feature_cache import FeatureCache


class Unit(NamedTuple):
    """Part `number` of a block of the UNet; number -1 is its change of resolution."""

    block: Any
    number: int


def understands(unet: Any) -> bool:
    """Whether a UNet is one whose order is known here: a UNet3DConditionModel, not compiled as a whole."""
    return type(unet).__name__ == "UNet3DConditionModel" and "forward" not in vars(unet)


@torch.no_grad()
def evaluate(
    unet: Any,
    latents: Tensor,
    t: Tensor | float,
    text: Tensor,
    cache: FeatureCache | None = None,
) -> Tensor:
    """What the UNet predicts for one clip under B texts per frame: [B, c, F, h, w].

    latents [1, c, F, h, w] (shared by the branches) or [B, c, F, h, w]; t one timestep; text [B, F, L, C].
    `cache` keeps the deep features of this evaluation, or lends those of an earlier one. Everything has to be
    on the UNet's device, in its dtype.
    """
    frames, times = latents.shape[2], len(text)
    state = _State(text.flatten(0, 1), frames, times)
    if text.shape[1] != frames or latents.shape[0] not in (1, times):
        raise A2VError(
            f"Per-frame text of {times} clips x {text.shape[1]} frames does not fit latents of "
            f"{latents.shape[0]} clips x {frames} frames. Encode the prompt for as many frames as are "
            "sampled."
        )
    down, up = list(_down_units(unet)), list(_up_units(unet))
    lent = cache is not None and cache.has_deep
    shallow = len(up) if cache is None else min(cache.shallow, len(up))
    emb = _time_embedding(unet, latents, t, times)

    hidden = latents.transpose(1, 2).flatten(0, 1)
    hidden = unet.conv_in(hidden)
    hidden = unet.transformer_in(hidden, num_frames=frames, return_dict=False)[0]
    skips = [hidden]
    for unit in down[: shallow - 1] if lent else down:
        hidden = _run_down(unit, hidden, emb, state)
        skips.append(hidden)
    if not lent:
        hidden = _run_middle(unet.mid_block, hidden, emb, state)
    for place, unit in enumerate(up):
        left = len(up) - place
        if left > shallow and lent:
            continue
        if left == shallow and cache is not None:
            if lent:
                hidden = cache.deep()
            else:
                cache.keep_deep(hidden)
        following = skips[left - 2] if left > 1 else None
        hidden = _run_up(unit, hidden, skips[left - 1], following, emb, state)
    if unet.conv_norm_out:
        hidden = unet.conv_act(unet.conv_norm_out(hidden))
    hidden = unet.conv_out(hidden)
    return hidden.unflatten(0, (-1, frames)).transpose(1, 2)


def unit_count(unet: Any) -> int:
    """How many units a UNet has on its way up: the most that `Speed.shallow` can mean."""
    return sum(1 for _ in _up_units(unet))


@dataclass
class _State:
    text: Tensor  # [B*F, L, C]
    frames: int
    branches: int

    def for_each_branch(self, x: Tensor) -> Tensor:
        """[F, ...] shared by the branches, or [B*F, ...] already, to [B*F, ...]."""
        rows = self.branches * self.frames
        return x if x.shape[0] == rows else x.repeat(rows // x.shape[0], *[1] * (x.ndim - 1))


def _down_units(unet: Any) -> Iterator[Unit]:
    for block in unet.down_blocks:
        yield from (Unit(block, number) for number in range(len(block.resnets)))
        if block.downsamplers is not None:
            yield Unit(block, -1)


def _up_units(unet: Any) -> Iterator[Unit]:
    for block in unet.up_blocks:
        yield from (Unit(block, number) for number in range(len(block.resnets)))


def _run_down(unit: Unit, hidden: Tensor, emb: Tensor, state: _State) -> Tensor:
    block, number = unit
    if number < 0:
        for downsampler in block.downsamplers:
            hidden = downsampler(hidden)
        return hidden
    return _layer(block, number, hidden, emb, state)


def _run_middle(block: Any, hidden: Tensor, emb: Tensor, state: _State) -> Tensor:
    hidden = block.resnets[0](hidden, emb[: hidden.shape[0]])
    hidden = block.temp_convs[0](hidden, num_frames=state.frames)
    for number in range(len(block.attentions)):
        hidden = _attend(block, number, hidden, state)
        hidden = block.resnets[number + 1](hidden, emb)
        hidden = block.temp_convs[number + 1](hidden, num_frames=state.frames)
    return hidden


def _run_up(
    unit: Unit, hidden: Tensor, skip: Tensor, following: Tensor | None, emb: Tensor, state: _State
) -> Tensor:
    block, number = unit
    hidden = torch.cat([state.for_each_branch(hidden), state.for_each_branch(skip)], dim=1)
    hidden = _layer(block, number, hidden, emb, state)
    if number == len(block.resnets) - 1 and block.upsamplers is not None:
        # As diffusers: the size is spelled out only when doubling would miss it.
        size = None if following is None else following.shape[-2:]
        doubled = size is None or tuple(size) == tuple(2 * n for n in hidden.shape[-2:])
        for upsampler in block.upsamplers:
            hidden = upsampler(hidden, None if doubled else size)
    return hidden


def _layer(block: Any, number: int, hidden: Tensor, emb: Tensor, state: _State) -> Tensor:
    hidden = block.resnets[number](hidden, emb[: hidden.shape[0]])
    hidden = block.temp_convs[number](hidden, num_frames=state.frames)
    return _attend(block, number, hidden, state) if hasattr(block, "attentions") else hidden


def _attend(block: Any, number: int, hidden: Tensor, state: _State) -> Tensor:
    hidden = block.attentions[number](
        state.for_each_branch(hidden), encoder_hidden_states=state.text, return_dict=False
    )[0]
    attended: Tensor = block.temp_attentions[number](hidden, num_frames=state.frames, return_dict=False)[0]
    return attended


def _time_embedding(unet: Any, latents: Tensor, t: Tensor | float, times: int) -> Tensor:
    """[B*F, E], the same row everywhere."""
    if isinstance(t, Tensor) and t.numel() > 1:
        raise A2VError(f"One clip is at one timestep; got {t.numel()} of them")
    timestep = torch.as_tensor(t, device=latents.device).reshape(1)
    projected = unet.time_proj(timestep).to(latents.dtype)
    embedded: Tensor = unet.time_embedding(projected, None)
    return embedded.expand(times * latents.shape[2], -1)
