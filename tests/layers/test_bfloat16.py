"""Half precision for a while: what computes in it, and that nothing of it stays."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from a2v_core.backbones.unet3d.backbone import UNet3DBackbone
from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.layers.bfloat16 import in_bfloat16
from a2v_core.layers.stored import StoredConv2d, full_weight, store_fp8
from a2v_core.sampling import decode_video
from a2v_core.sampling.precision import in_precision_of
from a2v_core.sampling.speed import SPEEDS, Speed
from tests.layers.small import small_input, small_network


@pytest.fixture(scope="module")
def backbone(tiny_folder: Path) -> UNet3DBackbone:
    return load_unet3d(tiny_folder)


def test_weights_round_and_come_back_bit_for_bit() -> None:
    layer = nn.Linear(8, 8)
    places, values = [p.data_ptr() for p in layer.parameters()], layer.weight.detach().clone()
    with in_bfloat16(layer):
        assert torch.equal(layer.weight, values.to(torch.bfloat16))
        assert layer.bias.dtype == torch.bfloat16
    assert [p.data_ptr() for p in layer.parameters()] == places
    assert torch.equal(layer.weight, values)


def test_tables_of_numbers_round_too_and_others_stay() -> None:
    layer = nn.Linear(8, 8)
    table, places = torch.linspace(0, 1, 8), torch.arange(8)
    layer.register_buffer("table", table)
    layer.register_buffer("places", places)
    with in_bfloat16(layer):
        assert torch.equal(layer.get_buffer("table"), table.to(torch.bfloat16))
        assert layer.get_buffer("places") is places
    assert layer.get_buffer("table") is table


def test_what_is_kept_stays_by_name() -> None:
    network = nn.ModuleDict({"norm1": nn.Linear(4, 4), "out": nn.Linear(4, 4), "norm10": nn.Linear(4, 4)})
    network.register_buffer("table", torch.ones(2))
    with in_bfloat16(network, ["norm1", "table"]):
        assert network["norm1"].weight.dtype == network.get_buffer("table").dtype == torch.float32
        assert network["out"].weight.dtype == network["norm10"].bias.dtype == torch.bfloat16
    assert network["out"].weight.dtype == torch.float32


def test_an_error_inside_brings_them_back_too() -> None:
    layer = nn.Linear(8, 8)
    with pytest.raises(RuntimeError, match="cancelled"), in_bfloat16(layer):
        raise RuntimeError("cancelled")
    assert layer.weight.dtype == torch.float32


def test_it_works_inside_inference_mode_and_outside_of_it() -> None:
    layer, x = nn.Linear(8, 8), torch.randn(2, 8)
    with torch.inference_mode():  # as ComfyUI runs every node, loaders too
        loaded = copy.deepcopy(layer)
        with in_bfloat16(layer):
            inside = layer(x.to(torch.bfloat16))
        with in_bfloat16(loaded):
            assert torch.equal(loaded(x.to(torch.bfloat16)), inside)
    with torch.no_grad(), in_bfloat16(layer):
        outside = layer(x.to(torch.bfloat16))
    assert torch.equal(inside, outside)
    layer(x).sum().backward()
    assert layer.weight.grad is not None


def test_a_weight_in_two_places_stays_one() -> None:
    both = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    both[1].weight = both[0].weight
    with in_bfloat16(both):
        assert both[0].weight is both[1].weight
        assert both[0].weight.dtype == torch.bfloat16
    assert both[0].weight is both[1].weight


def test_a_module_in_half_precision_stays() -> None:
    layer = nn.Linear(8, 8).to(torch.bfloat16)
    weight = layer.weight.data_ptr()
    with in_bfloat16(layer):
        assert layer.weight.data_ptr() == weight


def test_a_mode_says_which_part_computes_in_what(backbone: UNet3DBackbone) -> None:
    def dtypes() -> tuple[torch.dtype, torch.dtype]:
        return next(backbone.unet.parameters()).dtype, next(backbone.vae.parameters()).dtype

    full, half = torch.float32, torch.bfloat16
    with in_precision_of(SPEEDS["fast"], backbone, "denoiser"):
        assert dtypes() == (half, full)
    with in_precision_of(SPEEDS["fast"], backbone, "vae"):
        assert dtypes() == (full, half)
    with in_precision_of(Speed(), backbone, "vae"):
        assert dtypes() == (full, full)


def test_pictures_of_a_vae_in_half_precision_are_nearly_the_same(backbone: UNet3DBackbone) -> None:
    latents = torch.randn(1, 4, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    exact = decode_video(backbone, latents)
    with in_precision_of(SPEEDS["fast"], backbone, "vae"):
        near = decode_video(backbone, latents)
    assert near.dtype == torch.float32
    assert 0 < float((near - exact).abs().max()) < 0.05


def test_weights_in_8_bits_are_left_alone_and_compute_in_bfloat16() -> None:
    network, x = small_network(), small_input().to(torch.bfloat16)
    store_fp8(network)
    layer = network.conv
    assert isinstance(layer, StoredConv2d)
    layer.set_weight(3 * full_weight(layer))  # as ComfyUI puts a patch on: other scales, dtype uint8
    stored, expected = layer.weight, full_weight(layer).to(torch.bfloat16)
    with torch.no_grad(), in_bfloat16(network):
        assert layer.weight is stored
        assert layer.bias is not None
        half = nn.functional.conv2d(x, expected, layer.bias, padding=1)
        assert torch.equal(layer(x), half)
        assert network(x).dtype == torch.bfloat16
    assert network.norm.weight.dtype == torch.float32
