"""Weights that wait in another form than the one they compute in: in 8 bits, or beside the device.

A linear layer or convolution of the UNet takes its weight to where its input is, in the input's dtype, when
it runs, and lets go of it afterwards. What is stored stays as it is: nothing is put back, so that a cancelled
run leaves nothing behind, and the layer compiles and copies like any other. (diffusers' hooks for the same,
`apply_layerwise_casting` and `apply_group_offloading`, change the weights in place around every call, and the
second wants the forward of the whole UNet to be called, which a walk through its
layers does not.)

In 8 bits (float8_e4m3fn, arXiv 2209.05433: 3 bits of mantissa, 2^-9 to 448) every output channel has a scale,
a power of two that brings its largest weight to just below 448. So small weights keep their 3 bits, and the
product of weight and scale is exact in bfloat16.

Legend: B clips, F frames, N rows, I O channels in and out, h w latent size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .onednn import CpuLinear, CpuTemporalConv, is_temporal, linear, temporal_conv

FP8 = torch.float8_e4m3fn

_LARGEST = torch.finfo(FP8).max
_SCALE = "weight_scale"
_PATCHED_SCALE = "patched_scale"
_KEPT = ("conv_in", "conv_out", "time_embedding")  # small, and every value passes through them


class _Stored:
    """How ComfyUI's ModelPatcher puts patches on a stored weight, such as LoRAs: by these two names.

    It keeps the parameter `weight` from before, and puts that back to take them off. The scales of a patched
    weight are others, so it is told from one that is not by its type: 8 bits without a meaning.
    """

    def convert_weight(self, weight: Tensor, inplace: bool = False, **other: Any) -> Tensor:
        """What the layer computes with, from what it stores in another dtype."""
        scale = getattr(self, _SCALE, None)
        return weight if scale is None else weight * scale.to(weight)

    def set_weight(
        self,
        weight: Tensor,
        inplace_update: bool = False,
        seed: int | None = None,
        return_weight: bool = False,
        **other: Any,
    ) -> Tensor | None:
        """Store a weight for a while; `return_weight` only says how it would be rounded."""
        layer: Any = self
        if getattr(layer, _SCALE, None) is None:
            stored = weight.to(layer.weight.dtype)
            if return_weight:
                return stored
        else:
            stored, scale = _rounded(weight)
            if return_weight:
                return stored.to(weight.dtype) * scale.to(weight)
            stored = stored.view(torch.uint8)
            layer.register_buffer(_PATCHED_SCALE, scale, persistent=False)
        layer.weight = nn.Parameter(stored, requires_grad=False)
        return None


class StoredLinear(_Stored, nn.Linear):
    """`nn.Linear` with a stored weight."""

    def forward(self, input: Tensor) -> Tensor:
        """[..., I] to [..., O]."""
        return linear(input, _ready(self, input), self.bias)


class StoredConv2d(_Stored, nn.Conv2d):
    """`nn.Conv2d` with a stored weight."""

    def forward(self, input: Tensor) -> Tensor:
        """[N, I, h, w] to [N, O, h, w]."""
        return self._conv_forward(input, _ready(self, input), self.bias)


class StoredTemporalConv(_Stored, nn.Conv3d):
    """`nn.Conv3d` with a kernel of (k, 1, 1), stride 1, and a stored weight."""

    def forward(self, input: Tensor) -> Tensor:
        """[B, I, F, h, w] to [B, O, F, h, w]."""
        return temporal_conv(self, input, _ready(self, input))


@torch.no_grad()
def store_fp8(unet: nn.Module) -> None:
    """Round the weights of the linear layers and convolutions to 8 bits, in place.

    First and last convolution, the embedding of the time, biases and norms stay as they are, and so does the
    dtype that the UNet computes in. Repeating it is harmless. The state dict then has the scales
    (`weight_scale` [O, ...]) beside the weights, and fits only a UNet that is stored in the same way.
    """
    for layer in _take_over(unet):
        if layer.weight.dtype != FP8:
            weight = full_weight(layer)
            layer.register_buffer(_SCALE, torch.empty(0))
            set_weight(layer, weight)


@torch.no_grad()
def offload_weights(unet: nn.Module, device: torch.device | str) -> None:
    """Let the UNet run on `device` while the weights of its large layers wait in the CPU's memory.

    A weight is copied when its layer runs: the device holds one at a time, beside norms, biases and the work.
    With CUDA they wait in pinned memory. Results are the same. `unet.to(device)` ends it.
    """
    device = torch.device(device)
    waiting = {id(layer.weight) for layer in _take_over(unet)}
    for module in unet.modules():
        for name, value in module.named_parameters(recurse=False):
            kept = value.detach().to("cpu" if id(value) in waiting else device)
            if id(value) in waiting and device.type == "cuda":
                kept = kept.pin_memory()
            setattr(module, name, nn.Parameter(kept, requires_grad=value.requires_grad))
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, buffer.to(device))


def full_weight(layer: Any) -> Tensor:
    """The weight that a linear layer or convolution computes with, stored or not, in float32."""
    weight, scale = _stored(layer)
    return weight.float() if scale is None else weight.float() * scale.float()


@torch.no_grad()
def set_weight(layer: Any, weight: Tensor) -> None:
    """Replace the weight of a layer, stored or not, by `weight`; it is rounded to what the layer stores."""
    if getattr(layer, _SCALE, None) is None:
        layer.weight.copy_(weight)
        return
    rounded, scale = _rounded(weight)
    layer.weight = nn.Parameter(rounded.to(layer.weight.device), requires_grad=False)
    setattr(layer, _SCALE, scale.to(layer.weight.device))


@torch.no_grad()
def fp8_tensors(unet: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of a UNet with `store_fp8` from that of one without: no copy in more bits is made."""
    found = dict(tensors)
    for name, layer in unet.named_modules():
        key = f"{name}.weight"
        # What does not fit is left for the check of the whole file.
        stored = getattr(layer, _SCALE, None) is not None
        if stored and key in found and found[key].shape == layer.weight.shape:
            found[key], found[f"{name}.{_SCALE}"] = _rounded(found[key])
    return found


def _rounded(weight: Tensor) -> tuple[Tensor, Tensor]:
    """A weight [O, ...] in 8 bits, and its scales [O, 1, ...] in bfloat16."""
    rows = weight.flatten(1)
    largest = torch.maximum(rows.amax(1), -rows.amin(1)).float()
    scale = torch.exp2(torch.ceil(torch.log2(largest.clamp(min=torch.finfo(torch.float32).tiny) / _LARGEST)))
    scale = scale.reshape(-1, *[1] * (weight.ndim - 1))
    return (weight / scale).clamp_(-_LARGEST, _LARGEST).to(FP8), scale.to(torch.bfloat16)


def _ready(layer: Any, input: Tensor) -> Tensor:
    """The weight, where the input is and in its dtype."""
    weight, scale = _stored(layer)
    if weight.device != input.device:
        # Before the dtype, so that few bytes travel. From pinned memory the copy runs beside the CPU's work.
        weight = weight.to(input.device, non_blocking=weight.device.type == "cpu")
    if scale is None:
        return weight.to(input.dtype)
    return weight.to(input.dtype, copy=True).mul_(scale.to(input.device, input.dtype))


def _stored(layer: Any) -> tuple[Tensor, Tensor | None]:
    """The weight of a layer as it is stored, and its scales."""
    weight: Tensor = layer.weight
    if weight.dtype == torch.uint8:
        return weight.view(FP8), getattr(layer, _PATCHED_SCALE)
    return weight, getattr(layer, _SCALE, None)


def _take_over(unet: nn.Module) -> Iterator[Any]:
    """The layers whose weights are stored; they get the classes of this module, if they have not yet."""
    for name, layer in unet.named_modules():
        if name.startswith(_KEPT):
            continue
        if type(layer) in (nn.Linear, CpuLinear):
            layer.__class__ = StoredLinear
        elif type(layer) is nn.Conv2d:
            layer.__class__ = StoredConv2d
        elif type(layer) is CpuTemporalConv or (type(layer) is nn.Conv3d and is_temporal(layer)):
            layer.__class__ = StoredTemporalConv
        if isinstance(layer, StoredLinear | StoredConv2d | StoredTemporalConv):
            yield layer
