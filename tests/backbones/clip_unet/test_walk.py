"""The order of a UNet3D: that of diffusers' forward, unit by unit, for every executor."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from a2v_core.backbones import FeatureCache, make_windows
from a2v_core.backbones.clip_unet import blocks
from a2v_core.backbones.clip_unet.chunked import denoise_long
from a2v_core.backbones.clip_unet.temporal import Plan
from a2v_core.backbones.clip_unet.units import down_units, sees_text, unit_count, up_units
from a2v_core.backbones.clip_unet.whole import evaluate, understands
from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.backbones.unet3d.per_frame import denoise

CPU = torch.device("cpu")
FRAMES = 3
T = torch.tensor(301)


@pytest.fixture(scope="module")
def unet(tiny_folder: Path) -> Any:
    return load_unet3d(tiny_folder).unet


@pytest.fixture(scope="module")
def text() -> Tensor:
    return torch.randn(1, FRAMES, 77, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def latents() -> Tensor:
    return torch.randn(1, 4, FRAMES, 4, 6, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def order(unet: nn.Module, run: Callable[[], Tensor]) -> list[str]:
    """Names of the convolutions and linear layers in the order in which they run."""
    ran: list[str] = []
    handles = [
        module.register_forward_pre_hook(lambda *_, name=name: ran.append(name))
        for name, module in unet.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d | nn.Conv3d)
    ]
    run()
    for handle in handles:
        handle.remove()
    return ran


def test_both_executors_run_the_layers_in_the_order_of_the_stock_forward(
    unet: Any, latents: Tensor, text: Tensor
) -> None:
    stock = order(unet, lambda: denoise(unet, latents, T, text))
    assert len(stock) > 100
    assert order(unet, lambda: evaluate(unet, latents, T, text)) == stock
    frames = latents[0].transpose(0, 1)
    plan = Plan(make_windows(FRAMES, FRAMES, 1), 4 * FRAMES, CPU, CPU)
    assert order(unet, lambda: denoise_long(unet, frames, T, text, plan)) == stock


def test_layers_that_see_no_text_run_once_for_all_texts_of_a_long_video(
    unet: Any, latents: Tensor, text: Tensor
) -> None:
    frames = latents[0].transpose(0, 1)
    plan = Plan(make_windows(FRAMES, FRAMES, 1), 4 * FRAMES, CPU, CPU)
    one = order(unet, lambda: denoise_long(unet, frames, T, text, plan))
    two = order(unet, lambda: denoise_long(unet, frames, T, text.expand(2, -1, -1, -1), plan))
    first = next(place for place, name in enumerate(one) if ".attentions." in name)
    assert two == one + one[first:]


def test_every_unit_on_the_way_up_reads_a_skip_connection(unet: Any) -> None:
    down, up = down_units(unet), up_units(unet)
    assert len(up) == len(down) + 1 == unit_count(unet) == 4
    assert [len(unit.resize) for unit in down] == [0, 1, 0]
    assert [len(unit.resize) for unit in up] == [0, 1, 0, 0]
    assert [sees_text(block) for block in blocks(unet)] == [True, False, True, False, True]


@pytest.mark.parametrize(("shallow", "units"), [(1, 0), (2, 1), (3, 2), (4, 3), (9, 3)])
def test_with_kept_deep_features_only_shallow_units_run(
    unet: Any, latents: Tensor, text: Tensor, shallow: int, units: int
) -> None:
    cache = FeatureCache(deep=True, attention=False, shallow=shallow)
    cache.begin(("prompt",), deep=True, attention=True)
    every = order(unet, lambda: evaluate(unet, latents, T, text, cache))
    cache.begin(("prompt",), deep=False, attention=True)
    some = order(unet, lambda: evaluate(unet, latents, T, text, cache))
    down = [name for name in some if name.startswith("down_blocks")]
    all_down = [name for name in every if name.startswith("down_blocks")]
    assert down == all_down[: len(down)]
    assert sum(name.endswith((".conv1", ".downsamplers.0.conv")) for name in down) == units
    assert not any(name.startswith("mid_block") for name in some)
    ups = [name for name in some if name.startswith("up_blocks")]
    all_ups = [name for name in every if name.startswith("up_blocks")]
    assert ups == all_ups[len(all_ups) - len(ups) :]
    assert sum(name.endswith(".conv1") for name in ups) == min(shallow, 4)


def test_what_is_understood(unet: Any, tiny_folder: Path) -> None:
    assert understands(unet)
    assert not understands(load_unet3d(tiny_folder).vae)
    assert not understands(torch.compile(unet, backend="eager"))
    other = copy.deepcopy(unet)
    other.forward = lambda *args, **kwargs: None
    assert not understands(other)
