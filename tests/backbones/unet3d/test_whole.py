"""The UNet unit by unit: equal to diffusers' own forward, with shared, kept and skipped work."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from a2v_core.backbones.clip_unet.units import unit_count
from a2v_core.backbones.clip_unet.whole import evaluate
from a2v_core.backbones.feature_cache import FeatureCache
from a2v_core.backbones.unet3d.backbone import UNet3DBackbone
from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.backbones.unet3d.per_frame import denoise
from a2v_core.errors import A2VError
from a2v_core.prompts import ContextBatch

T = torch.tensor(301)
BOTH = ("negative", "prompt")


@pytest.fixture(scope="module")
def backbone(tiny_folder: Path) -> UNet3DBackbone:
    return load_unet3d(tiny_folder)


@pytest.fixture(scope="module")
def stock(backbone: UNet3DBackbone) -> nn.Module:
    """The same UNet with diffusers' and PyTorch's own layers."""
    from tests.tiny_t2v import tiny_unet

    unet: nn.Module = tiny_unet().eval()
    unet.load_state_dict(backbone.unet.state_dict())
    return unet


@pytest.fixture(scope="module")
def text() -> Tensor:
    return torch.randn(2, 3, 77, 32, generator=torch.Generator().manual_seed(1))


def noise(frames: int = 3, height: int = 4, width: int = 6, clips: int = 1) -> Tensor:
    return torch.randn(clips, 4, frames, height, width, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
@pytest.mark.parametrize("size", [(4, 6), (5, 7), (1, 3)])
def test_equals_the_stock_forward(
    size: tuple[int, int], backbone: UNet3DBackbone, stock: nn.Module, text: Tensor
) -> None:
    shared = noise(3, *size)
    expected = denoise(stock, shared, 301, text)
    torch.testing.assert_close(evaluate(backbone.unet, shared, 301, text), expected, atol=1e-4, rtol=1e-4)
    apart = noise(3, *size, clips=2)
    expected = denoise(stock, apart, 301, text)
    torch.testing.assert_close(evaluate(backbone.unet, apart, 301, text), expected, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_layers_that_see_no_text_run_once_for_all_branches(backbone: UNet3DBackbone, text: Tensor) -> None:
    rows: dict[str, int] = {}
    names = ("conv_in", "transformer_in", "down_blocks.0.resnets.0", "down_blocks.1.resnets.0", "conv_out")

    def count(name: str) -> None:
        module = backbone.unet.get_submodule(name)
        handles.append(module.register_forward_pre_hook(lambda _, args: rows.update({name: len(args[0])})))

    handles: list[torch.utils.hooks.RemovableHandle] = []
    for name in names:
        count(name)
    evaluate(backbone.unet, noise(), 301, text)
    for handle in handles:
        handle.remove()
    assert list(rows.values()) == [3, 3, 3, 6, 6]


@torch.no_grad()
def test_deep_features_of_the_same_step_change_nothing(backbone: UNet3DBackbone, text: Tensor) -> None:
    expected = evaluate(backbone.unet, noise(), 301, text)
    for shallow in range(1, unit_count(backbone.unet) + 3):
        cache = FeatureCache(deep=True, attention=False, shallow=shallow)
        cache.begin(BOTH, deep=True, attention=True)
        assert torch.equal(evaluate(backbone.unet, noise(), 301, text, cache), expected)
        cache.begin(BOTH, deep=False, attention=True)
        assert torch.equal(evaluate(backbone.unet, noise(), 301, text, cache), expected)
        cache.begin(BOTH[1:], deep=False, attention=True)
        alone = evaluate(backbone.unet, noise(), 301, text[1:], cache)
        torch.testing.assert_close(alone, expected[1:], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_kept_deep_features_leave_out_the_deep_units(backbone: UNet3DBackbone, text: Tensor) -> None:
    ran: list[str] = []
    unet = backbone.unet
    blocks = {"down 0": unet.down_blocks[0], "down 1": unet.down_blocks[1], "middle": unet.mid_block}
    blocks |= {"up 0": unet.up_blocks[0], "up 1": unet.up_blocks[1]}
    handles = [
        block.resnets[-1].register_forward_pre_hook(lambda *_, name=name: ran.append(name))
        for name, block in blocks.items()
    ]
    cache = FeatureCache(deep=True, attention=False, shallow=2)
    cache.begin(BOTH, deep=False, attention=True)  # nothing is kept yet: all of it runs
    evaluate(unet, noise(), 301, text, cache)
    assert ran == list(blocks)
    ran.clear()
    cache.begin(BOTH, deep=False, attention=True)
    other = evaluate(unet, noise() + 0.1, 281, text, cache)
    for handle in handles:
        handle.remove()
    assert ran == ["down 0", "up 1"]
    assert not torch.equal(other, evaluate(unet, noise() + 0.1, 281, text))


@torch.no_grad()
def test_attention_is_broadcast_and_the_layers_are_left_as_they_were(
    backbone: UNet3DBackbone, text: Tensor
) -> None:
    cache = FeatureCache(deep=False, attention=True, shallow=2)
    cache.begin(BOTH, deep=True, attention=True)
    first = backbone.denoise_cached(noise(), T, ContextBatch(text), cache)
    torch.testing.assert_close(first, backbone.denoise(noise(), T, ContextBatch(text)), atol=1e-5, rtol=1e-5)
    attention = backbone.unet.mid_block.attentions[0].transformer_blocks[0].attn1
    calls: list[int] = []
    handle = attention.to_q.register_forward_pre_hook(lambda *_: calls.append(1))
    cache.begin(BOTH, deep=True, attention=False)
    kept = backbone.denoise_cached(noise(), T, ContextBatch(text), cache)
    assert torch.equal(kept, first)
    assert not calls
    cache.begin(BOTH[1:], deep=True, attention=False)
    torch.testing.assert_close(
        backbone.denoise_cached(noise(), T, ContextBatch(text[1:]), cache), first[1:], atol=1e-4, rtol=1e-4
    )
    assert not calls
    backbone.denoise(noise(), T, ContextBatch(text))
    handle.remove()
    assert calls == [1]
    assert "forward" not in vars(attention)


def test_gradients_take_the_stock_way(backbone: UNet3DBackbone, text: Tensor) -> None:
    wanted = text.clone().requires_grad_()
    backbone.denoise(noise(), T, ContextBatch(wanted)).sum().backward()
    assert wanted.grad is not None
    assert (wanted.grad.abs().amax(dim=(2, 3)) > 0).all()


def test_what_does_not_fit_is_named(backbone: UNet3DBackbone, text: Tensor) -> None:
    with pytest.raises(A2VError, match=r"2 clips x 3 frames .* 1 clips x 4 frames"):
        evaluate(backbone.unet, noise(4), 301, text)
    with pytest.raises(A2VError, match="one timestep; got 2"):
        evaluate(backbone.unet, noise(), torch.tensor([1, 2]), text)
