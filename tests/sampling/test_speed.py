"""Speed modes: which steps do what, and what a run then computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from a2v_core.backbones.unet3d.backbone import UNet3DBackbone
from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.errors import A2VError
from a2v_core.prompts.context import FrameContext
from a2v_core.sampling.sampler import sample
from a2v_core.sampling.settings import SampleSettings
from a2v_core.sampling.speed import EXACT, SPEEDS, Speed, StepPlan, find_speed
from tests.golden_recipe import recipe
from tests.tiny_t2v import TEXT_WIDTH

pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")
SMALL = SampleSettings(steps=10, guidance_scale=3, width=32, height=24, num_frames=3)


@pytest.fixture(scope="module")
def backbone(tiny_folder: Path) -> UNet3DBackbone:
    return load_unet3d(tiny_folder)


@pytest.fixture(scope="module")
def contexts(backbone: UNet3DBackbone) -> tuple[FrameContext, FrameContext]:
    states = recipe("states", (3, 77, TEXT_WIDTH)) * 40
    return FrameContext(states, torch.arange(3)), backbone.encode_prompt("", None, 3)


@contextmanager
def counted(module: torch.nn.Module) -> Iterator[list[tuple[int, torch.dtype]]]:
    """Rows and dtype of every call of a layer, also in copies made of it meanwhile."""
    calls: list[tuple[int, torch.dtype]] = []
    handle = module.register_forward_pre_hook(lambda _, args: calls.append((len(args[0]), args[0].dtype)))
    yield calls
    handle.remove()


def rows(
    backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext], speed: str | Speed, layer: str
) -> list[int]:
    """Branches of guidance that a layer saw, call by call."""
    with counted(backbone.unet.get_submodule(layer)) as calls:
        sample(backbone, *contexts, replace(SMALL, speed=speed))
    return [count // 3 for count, _ in calls]


def test_exact_leaves_nothing_out() -> None:
    assert SPEEDS[EXACT].plan(4) == [StepPlan(True, True, True, True)] * 4
    assert next(iter(SPEEDS)) == EXACT


def test_plan_counts_from_the_last_full_step() -> None:
    plan = Speed(guidance_every=3, deep_every=2, warm_up=2).plan(8)
    assert [step.direction for step in plan] == [True, True, False, False, True, False, False, True]
    assert [step.deep for step in plan] == [True, True, False, True, False, True, False, True]
    assert all(step.guided and step.attention for step in plan)


def test_guidance_interval_is_a_part_of_the_steps() -> None:
    plan = Speed(guidance_from=0.1, guidance_until=0.7).plan(10)
    assert [step.guided for step in plan] == [False, *[True] * 6, False, False, False]


@pytest.mark.parametrize(
    ("speed", "branches"),
    [
        (EXACT, [2] * 10),
        ("guidance_interval", [1, *[2] * 6, 1, 1, 1]),
        ("guidance_2", [2, 1] * 5),
        ("few_steps", [1, 1]),
    ],
)
def test_branches_that_are_evaluated(
    speed: str,
    branches: list[int],
    backbone: UNet3DBackbone,
    contexts: tuple[FrameContext, FrameContext],
) -> None:
    assert rows(backbone, contexts, speed, "conv_out") == branches


@pytest.mark.parametrize(("speed", "times"), [("deep_2", 5), ("deep_3", 4), ("deep_5", 2)])
def test_deep_layers_are_left_out(
    speed: str, times: int, backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]
) -> None:
    assert len(rows(backbone, contexts, speed, "mid_block.resnets.0")) == times
    assert len(rows(backbone, contexts, speed, "conv_out")) == 10


def test_fast_takes_half_of_the_steps(
    backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]
) -> None:
    assert rows(backbone, contexts, "fast", "conv_out") == [2, 1, 2, 1, 2]
    assert len(rows(backbone, contexts, "fast", "mid_block.resnets.0")) == 3


def test_a_push_is_used_again(backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]) -> None:
    """Where texts are equal, guidance pushes nowhere: computed seldom it gives the same."""
    alone = (contexts[0], contexts[0])
    exact = sample(backbone, *alone, SMALL)
    torch.testing.assert_close(
        sample(backbone, *alone, replace(SMALL, speed="guidance_2")), exact, atol=1e-4, rtol=1e-4
    )
    near = sample(backbone, *contexts, replace(SMALL, speed="guidance_2"))
    off = sample(backbone, *contexts, replace(SMALL, speed=Speed(guidance_until=0.0)))
    true = sample(backbone, *contexts, SMALL)
    assert (near - true).abs().mean() < 0.5 * (off - true).abs().mean()


def test_texts_that_are_never_evaluated_are_not_asked_for(
    backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]
) -> None:
    for sound in (None, 2.0):
        settings = replace(SMALL, speed="few_steps", sound_guidance=sound)
        assert settings.branches == ("prompt",)
        with_all = sample(backbone, *contexts, settings, text=contexts[1])
        assert torch.equal(sample(backbone, contexts[0], None, settings), with_all)
    assert replace(SMALL, speed="fast").branches == ("negative", "prompt")
    assert replace(SMALL, speed="few_steps", sound_guidance=0.0).branches == ("text",)


def test_bfloat16_leaves_the_weights(
    backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]
) -> None:
    before = [(p.data_ptr(), p.dtype) for p in backbone.unet.parameters()]
    with counted(backbone.unet.conv_out) as calls:
        near = sample(backbone, *contexts, replace(SMALL, speed="bf16"))
    assert {dtype for _, dtype in calls} == {torch.bfloat16}
    assert [(p.data_ptr(), p.dtype) for p in backbone.unet.parameters()] == before
    exact = sample(backbone, *contexts, SMALL)
    assert 0 < float((near - exact).abs().mean()) < 0.05 * float(exact.abs().mean())


def test_modes_are_found_by_name_or_given() -> None:
    own = Speed(deep_every=4)
    assert find_speed(own) is own
    assert find_speed("fast") is SPEEDS["fast"]
    with pytest.raises(A2VError, match=r"Unknown speed 'quick': choose one of exact, .*few_steps"):
        find_speed("quick")
    with pytest.raises(A2VError, match="Unknown speed"):
        SampleSettings(speed="quick")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"deep_every": 0}, "deep_every is 0"),
        ({"guidance_every": 0}, "guidance_every is 0"),
        ({"guidance_from": 0.8, "guidance_until": 0.2}, "guidance from 0.8 until 0.2"),
        ({"steps": 0.0}, "steps is expected to be above 0"),
        ({"warm_up": -1}, "warm_up 0 or more"),
    ],
)
def test_modes_that_make_no_sense_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(A2VError, match=message):
        Speed(**change)  # type: ignore[arg-type]
