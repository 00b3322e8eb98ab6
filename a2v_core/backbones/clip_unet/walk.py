"""The order of a text-to-video UNet, written once: which part runs when, and on what.

It is that of diffusers' `forward` (unet_3d_condition.py, unet_motion_model.py), with two additions. The first
layers see no text, so that several texts can share them. With a `FeatureCache` the deep features of an
earlier step replace those of this one, and only the shallow units run: DeepCache (arXiv 2312.00858) for a
UNet with temporal layers. How a part runs is up to the executor: `whole.py` has one that runs all
frames at once, `chunked.py` one that runs a few at a time.

Legend: F frames, C channels, h w size of an activation, E width of the time embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from ...errors import A2VError
from ..feature_cache import FeatureCache
from .units import Layer, Unit, down_units, layers, up_units


class Executor(Protocol):
    """Runs the parts of a UNet on activations [rows, C, h, w], whose rows are frames."""

    def each_frame(self, run: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """`run`, which treats every frame alike and apart."""

    def resnet(self, resnet: Any, x: Tensor, skip: Tensor | None = None) -> Tensor:
        """A residual block on x, or on the channels of x and of a skip connection."""

    def temporal_conv(self, conv: Any, x: Tensor) -> Tensor:
        """A TemporalConvLayer."""

    def attention(self, transformer: Any, x: Tensor) -> Tensor:
        """A Transformer2DModel: within every frame, and to the frame's text."""

    def temporal_attention(self, transformer: Any, x: Tensor) -> Tensor:
        """A TransformerTemporalModel or motion module: between the frames, at every pixel."""

    def for_each_text(self) -> Sequence[Executor]:
        """Executors for what follows the first text: one for all texts, or one for each."""


def predict(
    unet: Any, executor: Executor, latents: Tensor, cache: FeatureCache | None = None
) -> list[Tensor]:
    """What the UNet predicts for latents [rows, c, h, w], from every executor of `for_each_text`.

    `cache` keeps the deep features of this evaluation, or gives those of an earlier one.
    """
    route = _route(unet, cache)
    held = _before_text(unet, executor, latents, route)
    executors = executor.for_each_text()
    # The last one takes the shared activations away: nothing else may hold them while it runs.
    return [_with_text(unet, one, held if one is executors[-1] else [*held], route) for one in executors]


class _Route(NamedTuple):
    """The units that run on the way down, and those on the way up. Where `cache` has what the deep ones and
    the middle block made in an earlier step, these do not run."""

    down: Sequence[Unit]
    deep: Sequence[Unit]
    shallow: Sequence[Unit]
    cache: FeatureCache | None


def _route(unet: Any, cache: FeatureCache | None) -> _Route:
    down, up = down_units(unet), up_units(unet)
    shallow = len(up) if cache is None else min(cache.shallow, len(up))
    if cache is not None and cache.has_deep:
        down = down[: shallow - 1]  # with the first convolution, one skip connection for each
    return _Route(down, up[:-shallow], up[-shallow:], cache)


def _before_text(unet: Any, executor: Executor, latents: Tensor, route: _Route) -> list[Tensor]:
    """The first skip connection and, if any unit follows, what its layer makes before it sees a text."""
    x = executor.each_frame(unet.conv_in, latents)
    if (first := getattr(unet, "transformer_in", None)) is not None:
        x = executor.temporal_attention(first, x)
    return [x, *(_convolve(executor, unit.layer, x) for unit in route.down[:1])]


def _with_text(unet: Any, executor: Executor, held: list[Tensor], route: _Route) -> Tensor:
    """All that follows. `held` is what `_before_text` made; it is used up.

    It is a stack: skip connections, and on top of them the running activation. Nothing else holds activations
    from one unit to the next, so that their memory is free once the last reader has run.
    """
    cache = route.cache
    for unit in route.down[:1]:
        held.append(_attend(executor, unit.layer, held.pop()))
    for unit in route.down[1:]:
        held.append(_down(executor, unit, held[-1]))
    if cache is not None and cache.has_deep:
        held.append(cache.deep())
    else:
        held.append(_middle(executor, unet.mid_block, held[-1]))
        for unit in route.deep:
            held.append(_up(executor, unit, held))
        if cache is not None:
            cache.keep_deep(held[-1])
    for unit in route.shallow:
        held.append(_up(executor, unit, held))
    return executor.each_frame(_last_layers(unet), held.pop())


def time_embedding(unet: Any, t: Tensor | float, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Of one timestep, [1, E]."""
    if isinstance(t, Tensor) and t.numel() > 1:
        raise A2VError(f"One clip is at one timestep; got {t.numel()} of them")
    projected = unet.time_proj(torch.as_tensor(t, device=device).reshape(1)).to(dtype)
    embedded: Tensor = unet.time_embedding(projected)
    return embedded


def _down(executor: Executor, unit: Unit, x: Tensor) -> Tensor:
    x = _attend(executor, unit.layer, _convolve(executor, unit.layer, x))
    for downsampler in unit.resize:
        x = executor.each_frame(downsampler, x)
    return x


def _middle(executor: Executor, block: Any, x: Tensor) -> Tensor:
    for layer in layers(block):
        x = _attend(executor, layer, _convolve(executor, layer, x))
    return x


def _up(executor: Executor, unit: Unit, held: list[Tensor]) -> Tensor:
    """Takes the running activation and its skip connection from `held`."""
    layer = unit.layer
    x = _mixed(executor, layer, executor.resnet(layer.resnet, held.pop(), held.pop()))
    x = _attend(executor, layer, x)
    for upsampler in unit.resize:
        size = held[-1].shape[-2:] if held else None
        x = executor.each_frame(_to_size(upsampler, size), x)
    return x


def _to_size(upsampler: Any, size: torch.Size | None) -> Callable[[Tensor], Tensor]:
    """An upsampler to the size of the next skip connection. As diffusers: spelled out only where doubling
    would miss it."""

    def run(x: Tensor) -> Tensor:
        doubled = size is None or tuple(size) == tuple(2 * n for n in x.shape[-2:])
        upsampled: Tensor = upsampler(x, None if doubled else size)
        return upsampled

    return run


def _convolve(executor: Executor, layer: Layer, x: Tensor) -> Tensor:
    return x if layer.resnet is None else _mixed(executor, layer, executor.resnet(layer.resnet, x))


def _mixed(executor: Executor, layer: Layer, x: Tensor) -> Tensor:
    return x if layer.temporal_conv is None else executor.temporal_conv(layer.temporal_conv, x)


def _attend(executor: Executor, layer: Layer, x: Tensor) -> Tensor:
    if layer.attention is not None:
        x = executor.attention(layer.attention, x)
    if layer.temporal_attention is not None:
        x = executor.temporal_attention(layer.temporal_attention, x)
    return x


def _last_layers(unet: Any) -> Callable[[Tensor], Tensor]:
    def run(x: Tensor) -> Tensor:
        if unet.conv_norm_out is not None:
            x = unet.conv_act(unet.conv_norm_out(x))
        predicted: Tensor = unet.conv_out(x)
        return predicted

    return run
