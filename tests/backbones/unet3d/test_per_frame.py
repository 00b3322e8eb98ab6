"""Per-frame text in a stock UNet3DConditionModel."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from a2v_core.backbones.clip_unet.patches import checkpoint_blocks
from a2v_core.backbones.unet3d.per_frame import denoise, per_frame_text, text_blocks
from a2v_core.errors import A2VError
from tests.golden_recipe import recipe


@pytest.fixture
def unet(golden_unet: nn.Module) -> Iterator[nn.Module]:
    yield golden_unet
    per_frame_text(golden_unet).remove()


@pytest.fixture(scope="module")
def latents() -> Tensor:
    return recipe("latents", (1, 4, 24, 16, 16)) * 32


@pytest.fixture(scope="module")
def texts() -> Tensor:
    return (recipe("per_frame_text", (24, 77, 64)) * (77 * 64) ** 0.5)[None]


def relative(result: Tensor, expected: Tensor) -> float:
    return float((result - expected).norm() / expected.norm())


@torch.no_grad()
def test_golden_unet_with_a_text_per_frame(
    unet: nn.Module, latents: Tensor, texts: Tensor, unet_golden: dict[str, Tensor]
) -> None:
    assert relative(denoise(unet, latents, 501, texts), unet_golden["unet_out_t501"]) < 1e-4


@torch.no_grad()
def test_golden_unet_with_one_text_equals_stock(
    unet: nn.Module, latents: Tensor, texts: Tensor, unet_golden: dict[str, Tensor]
) -> None:
    result = denoise(unet, latents, 501, texts[:, :1].expand(-1, 24, -1, -1))
    assert relative(result, unet_golden["unet_out_same_text_t501"]) < 1e-4
    per_frame_text(unet).remove()
    assert torch.equal(result, unet(latents, 501, texts[:, 0]).sample)


@torch.no_grad()
def test_stock_call_still_works_with_the_hooks_in(unet: nn.Module) -> None:
    small, text = torch.randn(2, 4, 3, 8, 8), torch.randn(2, 77, 64)
    stock = unet(small, 10, text).sample
    per_frame_text(unet)
    assert torch.equal(unet(small, 10, text).sample, stock)
    assert torch.equal(unet(sample=small, timestep=10, encoder_hidden_states=text).sample, stock)


@torch.no_grad()
def test_keyword_call_equals_positional_call(unet: nn.Module) -> None:
    small, text = torch.randn(1, 4, 3, 8, 8), torch.randn(1, 3, 77, 64)
    per_frame_text(unet)
    by_name = unet(sample=small, timestep=10, encoder_hidden_states=text).sample
    assert torch.equal(by_name, denoise(unet, small, 10, text))


@torch.no_grad()
def test_clips_of_a_batch_do_not_mix(unet: nn.Module) -> None:
    small, text = torch.randn(2, 4, 3, 8, 8), torch.randn(2, 3, 77, 64)
    both = denoise(unet, small, torch.tensor([7, 900]), text)
    first = denoise(unet, small[:1], torch.tensor(7), text[:1])
    second = denoise(unet, small[1:], 900, text[1:])
    torch.testing.assert_close(both, torch.cat([first, second]), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_only_the_frame_whose_text_changed_sees_it_before_temporal_layers(unet: nn.Module) -> None:
    """The rows that the first spatial transformer gets are the frames in order."""
    seen: list[Tensor] = []
    spatial = unet.get_submodule("down_blocks.0.attentions.0")
    handle = spatial.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["encoder_hidden_states"]), with_kwargs=True
    )
    text = torch.randn(2, 3, 77, 64)
    denoise(unet, torch.randn(2, 4, 3, 8, 8), 10, text)
    handle.remove()
    assert torch.equal(seen[0], text.reshape(6, 77, 64))


@torch.no_grad()
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (9, 7)])
@pytest.mark.parametrize("frames", [1, 5])
def test_any_latent_size_and_frame_count(unet: nn.Module, size: tuple[int, int], frames: int) -> None:
    result = denoise(unet, torch.randn(1, 4, frames, *size), 3, torch.randn(1, frames, 77, 64))
    assert result.shape == (1, 4, frames, *size)
    assert result.isfinite().all()


def test_gradients_reach_every_frame_and_survive_checkpointing(unet: nn.Module) -> None:
    small = torch.randn(1, 4, 3, 8, 8)

    def gradient() -> Tensor:
        text = torch.linspace(-1, 1, 3 * 7 * 64).reshape(1, 3, 7, 64).requires_grad_()
        denoise(unet, small, 10, text).square().sum().backward()
        assert text.grad is not None
        return text.grad

    plain = gradient()
    assert (plain.abs().amax(dim=(0, 2, 3)) > 0).all()
    undo = checkpoint_blocks(unet)
    try:
        torch.testing.assert_close(gradient(), plain)
    finally:
        undo()
    assert "forward" not in vars(unet.mid_block)


def test_backward_after_the_hooks_are_gone(unet: nn.Module) -> None:
    """Recomputation in backward must not need the hooks, nor pick up the text of a later call."""
    small = torch.randn(1, 4, 2, 8, 8)
    text = torch.randn(1, 2, 7, 64, requires_grad=True)
    denoise(unet, small, 10, text).sum().backward()
    assert text.grad is not None
    expected, text.grad = text.grad, None
    undo = checkpoint_blocks(unet)
    loss = denoise(unet, small, 10, text).sum()
    undo()
    denoise(unet, small, 10, torch.zeros_like(text))
    per_frame_text(unet).remove()
    loss.backward()
    torch.testing.assert_close(text.grad, expected)


def test_wrong_frame_count_is_named_and_leaves_nothing_behind(unet: nn.Module) -> None:
    with pytest.raises(A2VError, match=r"1 clips x 4 frames .* 1 clips x 3 frames"):
        denoise(unet, torch.randn(1, 4, 3, 8, 8), 10, torch.randn(1, 4, 7, 64))
    with pytest.raises(RuntimeError):  # a text of the wrong width fails inside the UNet
        denoise(unet, torch.randn(1, 4, 3, 8, 8), 10, torch.randn(1, 3, 7, 65))
    assert per_frame_text(unet)._rows is None


def test_installing_twice_is_once_and_removing_restores(unet: nn.Module) -> None:
    assert per_frame_text(unet) is per_frame_text(unet)
    assert len(text_blocks(unet)) == 5
    with per_frame_text(unet):
        assert len(unet._forward_pre_hooks) == 1
    assert not unet._forward_pre_hooks
    assert not any(block._forward_pre_hooks for block in text_blocks(unet))


@torch.no_grad()
def test_copy_of_a_hooked_unet_is_independent(unet: nn.Module) -> None:
    small, text = torch.randn(1, 4, 2, 8, 8), torch.randn(1, 2, 7, 64)
    expected = denoise(unet, small, 10, text)
    twin = copy.deepcopy(unet)
    per_frame_text(unet).remove()
    assert torch.equal(twin(small, 10, text).sample, expected)


@torch.no_grad()
def test_compiles_to_one_graph(unet: nn.Module) -> None:
    small, text = torch.randn(1, 4, 2, 8, 8), torch.randn(1, 2, 7, 64)
    expected = denoise(unet, small, 10, text)
    compiled = torch.compile(unet, backend="eager", fullgraph=True)
    assert torch.equal(compiled(small, 10, text).sample, expected)


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_follows_the_unet(golden_unet: nn.Module, dtype: torch.dtype) -> None:
    half = copy.deepcopy(golden_unet).to(dtype)
    latents, text = torch.randn(1, 4, 2, 8, 8), torch.randn(1, 2, 7, 64)
    result = denoise(half, latents, 10, text)
    assert result.dtype == dtype
    assert relative(result.float(), denoise(copy.deepcopy(golden_unet), latents, 10, text)) < 0.05
