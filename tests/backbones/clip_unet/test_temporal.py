"""Temporal layers in pieces: with one window over all frames, what diffusers' own layers compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.backbones import make_windows
from a2v_core.backbones.clip_unet.temporal import Plan, temporal_conv, temporal_transformer
from a2v_core.backbones.unet3d.load import load_unet3d

CPU = torch.device("cpu")
FRAMES = 7


@pytest.fixture(scope="module")
def block(tiny_folder: Path) -> Any:
    return load_unet3d(tiny_folder).unet.mid_block


@pytest.fixture(scope="module")
def x() -> Tensor:
    return torch.randn(FRAMES, 16, 3, 5, generator=torch.Generator().manual_seed(1))


def plan(chunk: int, window: int = FRAMES, closed_loop: bool = False) -> Plan:
    return Plan(make_windows(FRAMES, window, 2, closed_loop), chunk, CPU, CPU, closed_loop)


@torch.no_grad()
@pytest.mark.parametrize("chunk", [1, 3, FRAMES, 20])
def test_pieces_change_nothing(block: Any, x: Tensor, chunk: int) -> None:
    conv, transformer = block.temp_convs[0], block.temp_attentions[0]
    found, expected = temporal_conv(plan(chunk), conv, x), conv(x, num_frames=FRAMES)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    found = temporal_transformer(plan(chunk), transformer, x)
    expected = transformer(x, num_frames=FRAMES, return_dict=False)[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_in_a_closed_loop_the_first_frame_follows_the_last(block: Any, x: Tensor) -> None:
    conv, closed = block.temp_convs[0], plan(3, closed_loop=True)
    turned = temporal_conv(closed, conv, x.roll(2, 0))
    torch.testing.assert_close(turned, temporal_conv(closed, conv, x).roll(2, 0), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(temporal_conv(plan(3), conv, x.roll(2, 0)), turned, rtol=1e-2, atol=1e-3)


@torch.no_grad()
def test_attention_sees_its_window_only(block: Any, x: Tensor) -> None:
    """Where moments of all frames stay the same: two frames outside the first window change places."""
    transformer = block.temp_attentions[0]
    windows = plan(3, window=3)
    swapped = x[[0, 1, 2, 3, 4, 6, 5]]
    before, after = (temporal_transformer(windows, transformer, video) for video in (x, swapped))
    torch.testing.assert_close(after[:3], before[:3], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(after[5:], before[5:], rtol=1e-2, atol=1e-3)
