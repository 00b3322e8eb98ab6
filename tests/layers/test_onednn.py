"""Linear layers and temporal convolutions in oneDNN: the same numbers as PyTorch's own."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.layers.onednn import OneDNNLinear, OneDNNTemporalConv, use_onednn_layers
from tests.tiny_t2v import tiny_unet


@torch.no_grad()
def test_only_classes_change(tiny_folder: Path) -> None:
    unet = load_unet3d(tiny_folder).unet
    kinds = [type(module) for module in unet.modules()]
    assert nn.Linear not in kinds
    assert nn.Conv3d not in kinds
    assert unet.state_dict().keys() == tiny_unet().state_dict().keys()
    before = copy.deepcopy(unet)
    use_onednn_layers(unet)
    assert [type(module) for module in before.modules()] == kinds


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("shape", [(16, 5), (2, 24, 5), (3, 7, 5), (0, 5), (5,)])
def test_linear_layer_equals_its_original(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    for bias in (True, False):
        layer = nn.Linear(5, 9, bias=bias).to(dtype)
        x = torch.randn(shape, dtype=dtype)
        expected = layer(x)
        layer.__class__ = OneDNNLinear
        result = layer(x)
        torch.testing.assert_close(result, expected)
        assert result.shape == expected.shape


@torch.no_grad()
@pytest.mark.parametrize("frames", [1, 2, 24])
def test_temporal_convolution_equals_its_original(frames: int) -> None:
    layer = nn.Conv3d(6, 4, (3, 1, 1), padding=(1, 0, 0))
    x = torch.randn(2, frames, 6, 3, 5).transpose(1, 2)
    expected = layer(x)
    use_onednn_layers(layer)
    assert type(layer) is OneDNNTemporalConv
    torch.testing.assert_close(layer(x), expected)


def test_other_convolutions_are_left_alone() -> None:
    for layer in (nn.Conv3d(4, 4, 3), nn.Conv3d(4, 4, (3, 1, 1), stride=(2, 1, 1)), nn.Conv2d(4, 4, 3)):
        kind = type(layer)
        use_onednn_layers(layer)
        assert type(layer) is kind
