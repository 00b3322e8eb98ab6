"""Windowed temporal attention in AnimateDiff's UNet: positions begin anew in every window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from a2v_core.backbones import LongWork, Windows, make_windows
from a2v_core.backbones.clip_unet.temporal import Plan, temporal_transformer
from a2v_core.backbones.unet_motion import UNetMotionBackbone, load_unet_motion
from a2v_core.errors import A2VError
from a2v_core.prompts import ContextBatch
from tests.backbones.clip_unet.test_walk import order
from tests.tiny_motion import LONGEST, filled, tiny_adapter
from tests.tiny_t2v import TEXT_WIDTH

CPU = torch.device("cpu")
T = torch.tensor(301)


@pytest.fixture(scope="module")
def backbone(motion_folder: Path) -> UNetMotionBackbone:
    return load_unet_motion(motion_folder)


@pytest.fixture(scope="module")
def module() -> Any:
    return filled(tiny_adapter()).down_blocks[1].motion_modules[0]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def texts(branches: int, frames: int) -> ContextBatch:
    return ContextBatch(random(branches, frames, 7, TEXT_WIDTH, seed=1))


def windowed(
    backbone: UNetMotionBackbone, x: Tensor, context: ContextBatch, windows: Windows, closed: bool = False
) -> Tensor:
    return backbone.denoise_windowed(x, T, context, windows, LongWork(windows.index.shape[1], closed))


@torch.no_grad()
@pytest.mark.parametrize("size", [(4, 4), (5, 6)])
def test_one_window_of_all_frames_is_the_plain_model(
    backbone: UNetMotionBackbone, size: tuple[int, int]
) -> None:
    x, context = random(1, 4, 11, *size), texts(2, 11)
    found = windowed(backbone, x, context, make_windows(11, 11, 4))
    torch.testing.assert_close(found, backbone.denoise(x, T, context), rtol=1e-4, atol=1e-5)


def test_layers_run_in_the_order_of_the_stock_forward(backbone: UNetMotionBackbone) -> None:
    x, context = random(1, 4, 3, 4, 4), texts(1, 3)
    with torch.no_grad():
        stock = order(backbone.unet, lambda: backbone.denoise(x, T, context))
        found = order(backbone.unet, lambda: windowed(backbone, x, context, make_windows(3, 3, 1)))
    assert len(stock) > 100
    assert list(dict.fromkeys(found)) == list(dict.fromkeys(stock))  # positions are projected apart


def expected_of(module: Any, windows: Windows, x: Tensor) -> Tensor:
    """A motion module of diffusers whose attention sees windows, one after the other; x [F, C, h, w]."""

    def attention(layer: Any, rows: Tensor) -> Tensor:
        total = torch.zeros_like(rows)
        counted = 0
        for index in windows.index:
            part = layer(block.pos_embed(rows[:, index]))
            for place, frame in enumerate(index.tolist()):
                at = (windows.places[frame] == counted + place).float()
                total[:, frame] += part[:, place] * (at * windows.weights[frame]).sum()
            counted += len(index)
        return total

    normed = module.norm(x.transpose(0, 1)[None])[0]
    rows = module.proj_in(normed.permute(2, 3, 1, 0).flatten(0, 1))
    (block,) = module.transformer_blocks
    rows = attention(block.attn1, block.norm1(rows)) + rows
    rows = attention(block.attn2, block.norm2(rows)) + rows
    rows = module.proj_out(block.ff(block.norm3(rows)) + rows)
    return x + rows.unflatten(0, x.shape[-2:]).permute(2, 3, 0, 1)


@torch.no_grad()
@pytest.mark.parametrize("closed", [False, True])
def test_windows_are_blended_with_positions_of_their_own(module: Any, closed: bool) -> None:
    x = random(9, 16, 3, 2)
    windows = make_windows(9, 4, 3 if closed else 2, closed)
    found = temporal_transformer(Plan(windows, 4, CPU, CPU, closed), module, x)
    torch.testing.assert_close(found, expected_of(module, windows, x), rtol=1e-4, atol=1e-5)
    whole = make_windows(9, 9, 1)
    stock = module(x, num_frames=9)
    torch.testing.assert_close(expected_of(module, whole, x), stock, rtol=1e-4, atol=1e-5)
    assert float((found - stock).abs().max()) > 0.05


@torch.no_grad()
def test_a_closed_loop_has_no_first_frame(backbone: UNetMotionBackbone) -> None:
    x, context = random(1, 4, 16, 4, 4), texts(1, 16)
    turned = ContextBatch(context.states.roll(4, 1))
    for closed in (True, False):
        windows = make_windows(16, 8, 4, closed)
        one = windowed(backbone, x, context, windows, closed)
        other = windowed(backbone, x.roll(4, 2), turned, windows, closed)
        error = float((other - one.roll(4, 2)).abs().max())
        assert error < 1e-4 if closed else error > 1e-2


@torch.no_grad()
def test_branches_do_not_meet(backbone: UNetMotionBackbone) -> None:
    x, both, windows = random(1, 4, 12, 4, 4), texts(2, 12), make_windows(12, 8, 4)
    found = windowed(backbone, x.expand(2, -1, -1, -1, -1), both, windows)
    torch.testing.assert_close(found, windowed(backbone, x, both, windows), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        found[1:], windowed(backbone, x, both.rows([1]), windows), rtol=1e-4, atol=1e-5
    )


def largest_input(unet: nn.Module, run: Any) -> int:
    """The most values that any layer gets at once."""
    sizes: list[int] = []
    handles = [
        layer.register_forward_pre_hook(lambda _, args: sizes.append(args[0].numel()))
        for layer in unet.modules()
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.GroupNorm)
    ]
    run()
    for handle in handles:
        handle.remove()
    return max(sizes)


@torch.no_grad()
def test_work_is_that_of_one_window_for_any_length(backbone: UNetMotionBackbone) -> None:
    def largest(frames: int) -> int:
        x, context, windows = random(1, 4, frames, 16, 16), texts(1, frames), make_windows(frames, 8, 4)
        return largest_input(backbone.unet, lambda: windowed(backbone, x, context, windows))

    assert largest(2 * LONGEST) <= largest(16)
    assert largest(4 * LONGEST) <= largest(16)


def test_windows_need_positions(backbone: UNetMotionBackbone) -> None:
    frames = LONGEST + 5
    x, context = random(1, 4, frames, 4, 4), texts(1, frames)
    made = windowed(backbone, x, context, make_windows(frames, LONGEST, 10))
    assert made.shape == (1, 4, frames, 4, 4)
    assert bool(made.isfinite().all())
    with pytest.raises(A2VError, match=r"at most 20 frames at once, got 21.*windows of at most 20 frames"):
        windowed(backbone, x, context, make_windows(frames, LONGEST + 1, 10))


def test_cancel_takes_effect_within_a_step(backbone: UNetMotionBackbone) -> None:
    ran: list[int] = []
    handles = [m.register_forward_pre_hook(lambda *_: ran.append(1)) for m in backbone.cancel_points()]
    windowed(backbone, random(1, 4, 24, 4, 4), texts(1, 24), make_windows(24, 8, 4))
    for handle in handles:
        handle.remove()
    assert len(ran) == 3 * (2 + 4)  # three times eight frames through each residual block
