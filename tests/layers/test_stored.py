"""Weights in 8 bits and weights beside the device: stored small, computed as before."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from a2v_core.backbones.clip_unet.patches import offload_weights
from a2v_core.backbones.clip_unet.patches import store_fp8 as store_unet_fp8
from a2v_core.backbones.lora.merge import merge_lora
from a2v_core.backbones.unet3d.backbone import UNet3DBackbone
from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.backbones.unet3d.units import understands
from a2v_core.demo import demo_path
from a2v_core.layers.stored import (
    FP8,
    StoredConv2d,
    StoredLinear,
    StoredTemporalConv,
    full_weight,
    set_weight,
    store_fp8,
)
from a2v_core.prompts import ContextBatch
from a2v_core.sampling.long import sample_long
from a2v_core.sampling.long.settings import LongSettings
from a2v_core.sampling.settings import SampleSettings

STORED = (StoredLinear, StoredConv2d, StoredTemporalConv)
WORST_ROUNDING = 2**-4  # of a number with 3 bits of mantissa


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def evaluate(backbone: UNet3DBackbone) -> Tensor:
    with torch.no_grad():
        return backbone.denoise(
            random(1, 4, 3, 4, 6), torch.tensor(301), ContextBatch(random(2, 3, 77, 32, seed=1))
        ).float()


def relative(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def weight_bytes(module: nn.Module) -> int:
    return sum(t.numel() * t.element_size() for t in module.state_dict().values())


@pytest.fixture(scope="module")
def full(tiny_folder: Path) -> UNet3DBackbone:
    return load_unet3d(tiny_folder)


@pytest.fixture(scope="module")
def bf16(tiny_folder: Path) -> UNet3DBackbone:
    return load_unet3d(tiny_folder, "bf16")


@pytest.fixture
def fp8(tiny_folder: Path) -> UNet3DBackbone:
    return load_unet3d(tiny_folder, "fp8")


def test_what_is_stored_in_8_bits(fp8: UNet3DBackbone, full: UNet3DBackbone) -> None:
    for name, parameter in fp8.unet.named_parameters():
        kept = name.startswith(("conv_in", "conv_out", "time_embedding")) or "norm" in name
        small = kept or name.endswith("bias") or parameter.ndim == 1
        assert parameter.dtype == (torch.bfloat16 if small else FP8), name
        assert not parameter.requires_grad
    for part in (fp8.vae, fp8.text_encoder):
        assert {p.dtype for p in part.parameters()} == {torch.bfloat16}
    assert fp8.unet.dtype == torch.bfloat16
    for name, layer in fp8.unet.named_modules():
        if isinstance(layer, STORED):
            original = full.unet.get_submodule(name).weight
            largest = original.flatten(1).abs().amax(1).reshape(-1, *[1] * (original.ndim - 1))
            error = (full_weight(layer) - original).abs()
            # Half a step of 3 bits, and what bfloat16 rounded before; near zero the steps are 2^-9.
            assert bool((error <= 1.1 * (WORST_ROUNDING * original.abs() + largest * 2**-17)).all()), name


def test_half_the_bytes(bf16: UNet3DBackbone, fp8: UNet3DBackbone) -> None:
    """The tiny model has many norms, biases and scales for its size; layer by layer it is exact."""
    for name, layer in fp8.unet.named_modules():
        if isinstance(layer, STORED):
            weight = bf16.unet.get_submodule(name).weight
            assert layer.weight.nbytes == weight.nbytes / 2
            assert layer.state_dict()["weight_scale"].nbytes == 2 * len(weight)
    assert weight_bytes(fp8.unet) < 0.65 * weight_bytes(bf16.unet)


def test_nearly_the_result_of_bf16() -> None:
    """With weights that were trained, those of the demo; random ones make much of roundings."""
    full, bf16, fp8 = (load_unet3d(demo_path("t2v"), dtype) for dtype in ("fp32", "bf16", "fp8"))
    assert understands(fp8.unet)
    latents, text = random(1, 4, 3, 8, 8), random(2, 3, 77, full.spec.word_width, seed=1)
    with torch.no_grad():
        exact, half, eighth = (
            backbone.denoise(latents, torch.tensor(301), ContextBatch(text)).float()
            for backbone in (full, bf16, fp8)
        )
    assert 0 < relative(half, exact) < 0.01
    assert 0 < relative(eighth, half) < 0.03
    assert weight_bytes(fp8.unet) < 0.55 * weight_bytes(bf16.unet)


def test_scales_keep_small_weights() -> None:
    """A plain cast loses what is below 2^-10 and has few bits below 2^-6; here only the ratio counts."""
    layer = nn.Linear(64, 64).requires_grad_(False)
    layer.weight.mul_(1e-3)
    original = layer.weight.clone()
    plain = relative(original.to(FP8).float(), original)
    store_fp8(layer_in(layer))
    assert relative(full_weight(layer), original) < 0.04 < 0.5 < plain


def layer_in(layer: nn.Module) -> nn.Module:
    return nn.Sequential(layer)


def test_products_are_exact() -> None:
    """Zero rows, the largest number of the format and powers of two come back as they were."""
    weight = torch.tensor([[0.0, 0.0], [448.0, 2.0**-7], [3.5 * 2**-20, -(2.0**-27)], [1e30, 0.0]])
    layer = nn.Linear(2, 4, bias=False).requires_grad_(False)
    layer.weight.copy_(weight)
    store_fp8(layer_in(layer))
    assert torch.equal(full_weight(layer)[:3], weight[:3])
    assert float(full_weight(layer)[3, 0]) == pytest.approx(1e30, rel=WORST_ROUNDING)
    assert torch.equal(layer(torch.eye(2)).T[:3], weight[:3])
    assert torch.equal(layer(torch.eye(2, dtype=torch.bfloat16)).T[:3].float(), weight[:3])


def test_storing_twice_and_copies(fp8: UNet3DBackbone) -> None:
    expected = evaluate(fp8)
    before = {key: value.clone() for key, value in fp8.unet.state_dict().items()}
    store_unet_fp8(fp8.unet)
    twin = UNet3DBackbone(
        copy.deepcopy(fp8.unet), fp8.vae, fp8.text_encoder, fp8.tokenizer, fp8.scheduler_config, fp8.spec
    )
    assert torch.equal(evaluate(twin), expected)
    after = fp8.unet.state_dict()
    assert all(torch.equal(before[key].float(), after[key].float()) for key in before)


def test_other_dtypes_afterwards(fp8: UNet3DBackbone) -> None:
    """ComfyUI and users cast whole modules; weights and scales then go together."""
    expected = evaluate(fp8)
    fp8.unet.float()
    assert relative(evaluate(fp8), expected) < 0.05


def test_sampling_in_every_way(fp8: UNet3DBackbone, bf16: UNet3DBackbone) -> None:
    """Per-frame text, a CPU's bfloat16 modes, deep features of earlier steps, long videos."""
    for frames, speed in ((3, "exact"), (3, "fast"), (3, "attention_2"), (9, "exact")):
        found = []
        for backbone in (fp8, bf16):
            ball, empty = (backbone.encode_prompt(prompt, None, frames) for prompt in ("a ball", ""))
            settings = SampleSettings(4, 3.0, seed=0, width=32, height=32, num_frames=frames, speed=speed)
            found.append(sample_long(backbone, ball, empty, settings, LongSettings(window=4, stride=2)))
        assert found[0].shape == (1, 4, frames, 4, 4)
        assert 0 < relative(*found) < 0.3


def test_bfloat16_leaves_a_unet_that_has_it(fp8: UNet3DBackbone) -> None:
    before = [(p.data_ptr(), p.dtype) for p in fp8.unet.parameters()]
    with fp8.bfloat16("denoiser"):
        assert [(p.data_ptr(), p.dtype) for p in fp8.unet.parameters()] == before


def test_a_low_rank_update_is_merged(fp8: UNet3DBackbone, full: UNet3DBackbone, tmp_path: Path) -> None:
    name = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
    layer = fp8.unet.get_submodule(name)
    original = full.unet.get_submodule(name).weight
    up, down = random(original.shape[0], 2), random(2, original.shape[1], seed=1)
    save_file({f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, tmp_path / "lora.safetensors")
    assert merge_lora(fp8.unet, tmp_path / "lora.safetensors", strength=0.5) == 1
    assert layer.weight.dtype == FP8
    assert relative(full_weight(layer), original + 0.5 * up @ down) < 0.06


@pytest.mark.parametrize("stored", ["fp8", "bf16"])
def test_a_patch_is_put_on_and_taken_off(tiny_folder: Path, stored: str) -> None:
    """As ComfyUI's ModelPatcher does: it asks what a weight means, hands over another, and puts back."""
    backbone = load_unet3d(tiny_folder, stored)
    offload_weights(backbone.unet, "cpu")
    layer = backbone.unet.get_submodule("mid_block.resnets.0.conv1")
    assert isinstance(layer, StoredConv2d)
    expected, kept = evaluate(backbone), layer.weight
    full = full_weight(layer)
    assert torch.equal(layer.convert_weight(kept.float(), inplace=True), full)
    new = full + 3 * random(*full.shape) * full.abs().max()  # far beyond what the old scales hold
    told = layer.set_weight(new, return_weight=True)
    assert layer.weight is kept
    for _ in range(2):
        assert layer.set_weight(new.clone(), inplace_update=False, seed=1) is None
        assert layer.weight.nbytes == kept.nbytes
        assert told is not None
        assert torch.equal(full_weight(layer), told.float())
        assert relative(full_weight(layer), new) < 0.04
        assert relative(evaluate(backbone), expected) > 0.05
        twin = copy.deepcopy(backbone)
        assert torch.equal(evaluate(twin), evaluate(backbone))
        layer.weight = nn.Parameter(kept.detach(), requires_grad=False)
        assert torch.equal(full_weight(layer), full)
        assert torch.equal(evaluate(backbone), expected)


def test_storing_after_a_cast_keeps_the_weights(fp8: UNet3DBackbone) -> None:
    layers = [layer for layer in fp8.unet.modules() if isinstance(layer, STORED)]
    before = [full_weight(layer) for layer in layers]
    fp8.unet.float()
    store_unet_fp8(fp8.unet)
    assert all(torch.equal(full_weight(layer), own) for layer, own in zip(layers, before, strict=True))


def test_gradients_pass_through(fp8: UNet3DBackbone) -> None:
    """A frozen model in 8 bits can teach."""
    context = random(1, 2, 77, 32).requires_grad_()
    fp8.denoise(
        random(1, 4, 2, 4, 4), torch.tensor(5), ContextBatch(context)
    ).float().square().mean().backward()
    assert context.grad is not None
    assert float(context.grad.abs().sum()) > 0


@pytest.mark.parametrize("dtype", ["fp32", "fp8"])
def test_weights_beside_the_device_give_the_same(tiny_folder: Path, dtype: str) -> None:
    backbone = load_unet3d(tiny_folder, dtype)
    expected = evaluate(backbone)
    undo = offload_weights(backbone.unet, "cpu")
    assert torch.equal(evaluate(backbone), expected)
    undo()
    assert torch.equal(evaluate(backbone), expected)


@pytest.mark.parametrize("dtype", ["fp32", "fp8"])
def test_weights_follow_their_input(tiny_folder: Path, dtype: str) -> None:
    """PyTorch's device without data stands for any other: what does not get there ends the run."""
    backbone = load_unet3d(tiny_folder, dtype)
    offload_weights(backbone.unet, "meta")
    assert backbone.device.type == "meta"
    found = evaluate(backbone)
    assert (found.device.type, found.shape) == ("meta", (2, 4, 3, 4, 6))
    places = {name: parameter.device.type for name, parameter in backbone.unet.named_parameters()}
    assert places["down_blocks.0.resnets.0.conv1.weight"] == "cpu"
    assert places["down_blocks.0.resnets.0.conv1.bias"] == "meta"
    assert places["conv_in.weight"] == "meta"
    offloaded = sum(p.numel() for p in backbone.unet.parameters() if p.device.type == "cpu")
    assert offloaded > 0.8 * sum(p.numel() for p in backbone.unet.parameters())


def test_a_plain_layer_takes_a_new_weight() -> None:
    layer = nn.Linear(2, 2).requires_grad_(False)
    set_weight(layer, torch.eye(2))
    assert torch.equal(full_weight(layer), torch.eye(2))
