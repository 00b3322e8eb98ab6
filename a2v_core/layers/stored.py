"""Weights that are stored in another way than they are computed with: in 8 bits, or on another device.

A linear layer or convolution brings its weight to the device and dtype of its input when it runs, and frees
that copy afterwards. The stored weight does not change: nothing has to be put back, so that a cancelled run
leaves nothing behind, and the layer compiles and copies like any other. (diffusers' hooks for the same,
`apply_layerwise_casting` and `apply_group_offloading`, change the weights in place around every call, and the
second needs calls of the forward of the whole UNet, which we do not make: we call its layers.)

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

from .forwards import Undo
from .onednn import OneDNNLinear, OneDNNTemporalConv, is_temporal, linear, temporal_conv

FP8 = torch.float8_e4m3fn

_LARGEST = torch.finfo(FP8).max


class _Stored(nn.Module):
    """A layer with a stored weight: stored as it is, in 8 bits, or in 8 bits with a patch such as a LoRA.

    ComfyUI's ModelPatcher puts patches on by `convert_weight` and `set_weight`. It keeps the parameter
    `weight` from before, and puts that back to take them off. A patched weight has other scales, so the layer
    has to tell it from one that is not patched: by its dtype, which is uint8 for the same 8 bits.
    """

    weight: Tensor
    weight_scale: Tensor | None  # [O, 1, ...]; None: the weight is not in 8 bits
    patched_scale: Tensor | None  # of a patched weight

    def convert_weight(self, weight: Tensor, inplace: bool = False, **other: Any) -> Tensor:
        """What the layer computes with, from what it stores in another dtype."""
        return weight if self.weight_scale is None else weight * self.weight_scale.to(weight)

    def set_weight(
        self,
        weight: Tensor,
        inplace_update: bool = False,
        seed: int | None = None,
        return_weight: bool = False,
        **other: Any,
    ) -> Tensor | None:
        """Store a weight for a while; `return_weight` only says how it would be rounded."""
        if self.weight_scale is None:
            stored = weight.to(self.weight.dtype)
            if return_weight:
                return stored
        else:
            stored, scale = _rounded(weight)
            if return_weight:
                return stored.to(weight.dtype) * scale.to(weight)
            stored, self.patched_scale = stored.view(torch.uint8), scale
        self.weight = nn.Parameter(stored, requires_grad=False)
        return None

    def stored_weight(self) -> tuple[Tensor, Tensor | None]:
        """The weight as it is stored, and its scales."""
        if self.weight.dtype == torch.uint8:
            return self.weight.view(FP8), self.patched_scale
        return self.weight, self.weight_scale

    def weight_for(self, input: Tensor) -> Tensor:
        """The weight, on the device and in the dtype of an input."""
        weight, scale = self.stored_weight()
        if weight.device != input.device:
            # Before the dtype, so that few bytes travel. From pinned memory the CPU does not wait for it.
            weight = weight.to(input.device, non_blocking=weight.device.type == "cpu")
        if scale is None:
            return weight.to(input.dtype)
        return weight.to(input.dtype, copy=True).mul_(scale.to(input.device, input.dtype))


class StoredLinear(_Stored, nn.Linear):
    """`nn.Linear` with a stored weight."""

    def forward(self, input: Tensor) -> Tensor:
        """[..., I] to [..., O]."""
        return linear(input, self.weight_for(input), self.bias)


class StoredConv2d(_Stored, nn.Conv2d):
    """`nn.Conv2d` with a stored weight."""

    def forward(self, input: Tensor) -> Tensor:
        """[N, I, h, w] to [N, O, h, w]."""
        return self._conv_forward(input, self.weight_for(input), self.bias)


class StoredTemporalConv(_Stored, nn.Conv3d):
    """`nn.Conv3d` with a kernel of (k, 1, 1), stride 1, and a stored weight."""

    def forward(self, input: Tensor) -> Tensor:
        """[B, I, F, h, w] to [B, O, F, h, w]."""
        return temporal_conv(self, input, self.weight_for(input))


@torch.no_grad()
def store_fp8(network: nn.Module, kept: tuple[str, ...] = ()) -> None:
    """Round the weights of the linear layers and convolutions of a network to 8 bits, in place.

    Layers whose names begin with one of `kept`, biases and norms stay as they are, and so does the dtype that
    the network computes in. Repeating it is harmless. The state dict then has the scales (`weight_scale`
    [O, ...]) beside the weights, and fits only a network that is stored in the same way.
    """
    for layer in _stored_layers(network, kept):
        if layer.weight.dtype != FP8:
            weight = full_weight(layer)
            layer.weight_scale = torch.empty(0)
            set_weight(layer, weight)


@torch.no_grad()
def offload_weights(network: nn.Module, device: torch.device | str, kept: tuple[str, ...] = ()) -> Undo:
    """Let a network run on `device` while the weights of its layers stay in the CPU's memory.

    A weight is copied when its layer runs: the device holds one at a time, beside norms, biases, activations
    and layers whose names begin with one of `kept`. With CUDA the weights are in pinned memory. Results are
    the same. Returns what undoes it: all weights go to where the network's first one was before.
    """
    device, home = torch.device(device), next(network.parameters()).device
    offloaded = {id(layer.weight) for layer in _stored_layers(network, kept)}
    for module in network.modules():
        for name, value in module.named_parameters(recurse=False):
            moved = value.detach().to("cpu" if id(value) in offloaded else device)
            if id(value) in offloaded and device.type == "cuda":
                moved = moved.pin_memory()
            setattr(module, name, nn.Parameter(moved, requires_grad=value.requires_grad))
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, buffer.to(device))

    def undo() -> None:
        network.to(home)

    return undo


def full_weight(layer: Any) -> Tensor:
    """The weight that a linear layer or convolution computes with, stored or not, in float32."""
    weight, scale = layer.stored_weight() if isinstance(layer, _Stored) else (layer.weight, None)
    return weight.float() if scale is None else weight.float() * scale.float()


@torch.no_grad()
def set_weight(layer: Any, weight: Tensor) -> None:
    """Replace the weight of a layer, stored or not, by `weight`; it is rounded to what the layer stores."""
    if not isinstance(layer, _Stored) or layer.weight_scale is None:
        layer.weight.copy_(weight)
        return
    rounded, scale = _rounded(weight)
    layer.weight_scale = scale.to(layer.weight.device)
    layer.weight = nn.Parameter(rounded.to(layer.weight.device), requires_grad=False)


@torch.no_grad()
def fp8_tensors(network: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of a network with `store_fp8` from that of one without: no copy in more bits is made."""
    found = dict(tensors)
    for name, layer in network.named_modules():
        key = f"{name}.weight"
        # What does not fit is left for the check of the whole file.
        in_fp8 = isinstance(layer, _Stored) and layer.weight_scale is not None
        if in_fp8 and key in found and found[key].shape == layer.weight.shape:
            found[key], found[f"{name}.weight_scale"] = _rounded(found[key])
    return found


def _rounded(weight: Tensor) -> tuple[Tensor, Tensor]:
    """A weight [O, ...] in 8 bits, and its scales [O, 1, ...] in bfloat16."""
    rows = weight.flatten(1)
    largest = torch.maximum(rows.amax(1), -rows.amin(1)).float()
    scale = torch.exp2(torch.ceil(torch.log2(largest.clamp(min=torch.finfo(torch.float32).tiny) / _LARGEST)))
    scale = scale.reshape(-1, *[1] * (weight.ndim - 1))
    return (weight / scale).clamp_(-_LARGEST, _LARGEST).to(FP8), scale.to(torch.bfloat16)


def _stored_layers(network: nn.Module, kept: tuple[str, ...]) -> Iterator[_Stored]:
    """The layers whose weights are stored; they get the classes of this module, if they have not yet."""
    for name, layer in network.named_modules():
        if name.startswith(kept):
            continue
        if (kind := _stored_class(layer)) is not None:
            layer.__class__ = kind
            layer.register_buffer("weight_scale", None)
            layer.register_buffer("patched_scale", None, persistent=False)
        if isinstance(layer, _Stored):
            yield layer


def _stored_class(layer: nn.Module) -> type[_Stored] | None:
    """Which class stores the weight of a layer; None: it is of such a class, or is not stored."""
    if type(layer) in (nn.Linear, OneDNNLinear):
        return StoredLinear
    if type(layer) is nn.Conv2d:
        return StoredConv2d
    if type(layer) is OneDNNTemporalConv or (type(layer) is nn.Conv3d and is_temporal(layer)):
        return StoredTemporalConv
    return None
