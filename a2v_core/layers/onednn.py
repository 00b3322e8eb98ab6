"""Linear layers and temporal convolutions that run in oneDNN on a CPU; results are the same to rounding.

PyTorch sends a `Linear` to MKL, which on processors of other makers than Intel runs at a third of the speed
of oneDNN, and a `Conv3d` in float32 to a plain loop (`python -m benchmarks.sampling`). A linear layer is a
1 x 1 convolution, and a temporal convolution (k, 1, 1) is a (k, 1) convolution over frames x pixels; oneDNN
runs both. Layers keep their weights, names and place, only their class changes. Other devices and dtypes than
float32 or bfloat16 on a CPU, and calls with gradients, are computed as PyTorch does.

Legend: N rows, I O channels in and out, B clips, F frames, h w latent size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# PyTorch gives a 1 x 1 convolution to oneDNN from this batch on, whatever the number of threads.
_BATCH = 16
_ONEDNN = torch.backends.mkldnn.is_available()


class OneDNNLinear(nn.Linear):
    """`nn.Linear` through oneDNN's convolution."""

    def forward(self, input: Tensor) -> Tensor:
        """[..., I] to [..., O]."""
        return linear(input, self.weight, self.bias)


class OneDNNTemporalConv(nn.Conv3d):
    """`nn.Conv3d` with a kernel of (k, 1, 1), stride 1, as a 2-D convolution over frames x pixels."""

    def forward(self, input: Tensor) -> Tensor:
        """[B, I, F, h, w] to [B, O, F, h, w]."""
        return temporal_conv(self, input, self.weight)


def linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """[..., I] to [..., O] by weight [O, I], as fast as the device allows."""
    width, rows = weight.shape[1], input.numel() // weight.shape[1]
    whole = rows - rows % _BATCH
    if whole == 0 or not _applies(input):
        return F.linear(input, weight, bias)
    flat = input.reshape(rows, width)
    # Channels last on both sides: views, no copies.
    x = flat[:whole].reshape(_BATCH, whole // _BATCH, 1, width).permute(0, 3, 1, 2)
    kernel = weight.view(-1, 1, 1, width).permute(0, 3, 1, 2)
    out = F.conv2d(x, kernel, bias).permute(0, 2, 3, 1).reshape(whole, -1)
    if whole < rows:
        out = torch.cat([out, F.linear(flat[whole:], weight, bias)])
    return out.reshape(*input.shape[:-1], -1)


def temporal_conv(conv: nn.Conv3d, input: Tensor, weight: Tensor) -> Tensor:
    """[B, I, F, h, w] to [B, O, F, h, w] by the settings of `conv` and weight [O, I, k, 1, 1]."""
    if input.ndim != 5 or not _applies(input):
        return conv._conv_forward(input, weight, conv.bias)
    padding = (int(conv.padding[0]), 0)
    out = F.conv2d(input.flatten(3), weight.squeeze(-1), conv.bias, padding=padding)
    return out.unflatten(3, input.shape[3:])


def use_onednn_layers(network: nn.Module) -> None:
    """Let the linear layers and temporal convolutions of a network run in oneDNN. Repeating it is harmless.

    State dict, devices, dtypes and hooks stay as they are; on a GPU the layers compute as before.
    """
    for module in network.modules():
        if type(module) is nn.Linear:
            module.__class__ = OneDNNLinear
        elif type(module) is nn.Conv3d and is_temporal(module):
            module.__class__ = OneDNNTemporalConv


def is_temporal(conv: nn.Conv3d) -> bool:
    """Whether a convolution sees one pixel in some frames and nothing else."""
    return (
        conv.kernel_size[1:] == (1, 1)
        and conv.stride == (1, 1, 1)
        and conv.dilation == (1, 1, 1)
        and conv.padding[1:] == (0, 0)
        and conv.padding_mode == "zeros"
        and conv.groups == 1
    )


def _applies(x: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype in (torch.float32, torch.bfloat16)
        and not torch.is_grad_enabled()
        and _ONEDNN
    )
