"""A text for every frame in AnimateDiff's UNet, and what can be done with its layers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.backbones import (
    CompiledBlocks,
    FeatureCache,
    FeatureReuse,
    Grid,
    HalfPrecision,
    OffloadedWeights,
    Recompute,
    WindowedAttention,
    WordEmbeddings,
    require,
)
from a2v_core.backbones.clip_unet.patches import compile_blocks, repeated_blocks
from a2v_core.backbones.unet_motion import UNetMotionBackbone, load_unet_motion
from a2v_core.errors import A2VError
from a2v_core.layers import is_replaced
from a2v_core.prompts import ContextBatch
from tests.tiny_motion import LONGEST
from tests.tiny_t2v import TEXT_WIDTH

T = torch.tensor(301)


@pytest.fixture(scope="module")
def backbone(motion_folder: Path) -> UNetMotionBackbone:
    return load_unet_motion(motion_folder)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


X, TEXTS = random(1, 4, 6, 4, 4), random(2, 6, 7, TEXT_WIDTH, seed=1)


@torch.no_grad()
def predicted(backbone: UNetMotionBackbone, texts: Tensor = TEXTS) -> Tensor:
    return backbone.denoise(X, T, ContextBatch(texts)).float()


def test_equal_texts_are_the_plain_model(backbone: UNetMotionBackbone) -> None:
    """As the pipeline calls it: branch by branch, each text once for every frame."""
    text = TEXTS[:, 0]
    with torch.no_grad():
        plain = backbone.unet(torch.cat([X, X]), T, text.repeat_interleave(6, dim=0)).sample
    assert torch.equal(predicted(backbone, text[:, None].expand(-1, 6, -1, -1)), plain)


def test_a_changed_text_changes_its_frame_most(backbone: UNetMotionBackbone) -> None:
    other = TEXTS.clone()
    other[1, 3] = random(7, TEXT_WIDTH, seed=2)
    change = (predicted(backbone, other) - predicted(backbone)).abs().mean(dim=(1, 3, 4))
    assert not change[0].any()
    assert change[1].argmax() == 3
    others = change[1][[0, 1, 2, 4, 5]]
    assert others.min() > 0


def test_frames_meet_in_the_motion_modules_alone(motion_folder: Path) -> None:
    backbone = load_unet_motion(motion_folder)
    for name, weight in backbone.unet.named_parameters():
        if "motion_modules" in name and "proj_out" in name:
            weight.zero_()
    other = TEXTS.clone()
    other[1, 3] = random(7, TEXT_WIDTH, seed=2)
    change = (predicted(backbone, other) - predicted(backbone)).abs().amax(dim=(1, 3, 4))
    assert (change > 0).nonzero().tolist() == [[1, 3]]
    assert change[1, 3] > 0.1


def test_branches_do_not_meet(backbone: UNetMotionBackbone) -> None:
    both = predicted(backbone)
    for b in range(2):
        torch.testing.assert_close(both[b : b + 1], predicted(backbone, TEXTS[b : b + 1]))


def test_clips_at_timesteps_of_their_own(backbone: UNetMotionBackbone) -> None:
    x, t = random(2, 4, 6, 4, 4, seed=3), torch.tensor([5, 900])
    with torch.no_grad():
        both = backbone.denoise(x, t, ContextBatch(TEXTS))
        for b in range(2):
            alone = backbone.denoise(x[b : b + 1], t[b], ContextBatch(TEXTS[b : b + 1]))
            torch.testing.assert_close(both[b : b + 1], alone)


def test_gradients_with_and_without_recomputing(backbone: UNetMotionBackbone) -> None:
    gradients: list[Tensor] = []
    for again in (False, True):
        undo = backbone.recompute_activations() if again else lambda: None
        words = random(2, 6, TEXT_WIDTH, seed=4).requires_grad_()
        context = backbone.encode_texts(["a ball <temp>", "<temp>"], {"temp": words})
        predicted = backbone.denoise(X, T, context)
        gradients += torch.autograd.grad(predicted.square().sum(), words)
        undo()
    torch.testing.assert_close(gradients[1], gradients[0])
    assert (gradients[0].abs().amax(dim=2) > 0).all()
    assert not any(is_replaced(module) for module in backbone.unet.modules())


def test_bfloat16_for_a_while(backbone: UNetMotionBackbone) -> None:
    before = predicted(backbone)
    with backbone.bfloat16("denoiser"):
        near = backbone.denoise(X, T, ContextBatch(TEXTS)).detach()
    assert near.dtype == torch.bfloat16
    assert 0 < (near.float() - before).abs().max() < 0.1
    assert torch.equal(predicted(backbone), before)


def test_compiled_blocks(motion_folder: Path, backbone: UNetMotionBackbone) -> None:
    compiled = load_unet_motion(motion_folder)
    undo = compile_blocks(compiled.unet, "eager")
    kinds = {type(block).__name__ for block in repeated_blocks(compiled.unet) if is_replaced(block)}
    assert kinds == {"ResnetBlock2D", "BasicTransformerBlock"}
    torch.testing.assert_close(predicted(compiled), predicted(backbone), atol=1e-4, rtol=1e-4)
    undo()
    assert torch.equal(predicted(compiled), predicted(backbone))


def test_offloaded_weights(motion_folder: Path, backbone: UNetMotionBackbone) -> None:
    offloaded = load_unet_motion(motion_folder)
    undo = offloaded.offload_weights("cpu")
    assert torch.equal(predicted(offloaded), predicted(backbone))
    undo()


def test_what_it_can_do(backbone: UNetMotionBackbone) -> None:
    able: tuple[Any, ...] = (
        CompiledBlocks,
        FeatureReuse,
        HalfPrecision,
        OffloadedWeights,
        Recompute,
        WindowedAttention,
        WordEmbeddings,
    )
    for capability in able:
        assert require(backbone, capability, "a test") is backbone


@torch.no_grad()
def test_features_of_an_earlier_step(backbone: UNetMotionBackbone) -> None:
    """All of them at the same step change nothing; at another one only the shallow layers are new."""
    context, ran = ContextBatch(TEXTS), Counter[str]()
    cache = FeatureCache(deep=True, attention=False, shallow=2)
    cache.begin(("text", "prompt"), deep=True, attention=True)
    fresh = backbone.denoise_cached(X, T, context, cache)
    torch.testing.assert_close(fresh, backbone.denoise(X, T, context), atol=1e-5, rtol=1e-4)
    cache.begin(("text", "prompt"), deep=False, attention=True)
    torch.testing.assert_close(backbone.denoise_cached(X, T, context, cache), fresh, atol=1e-5, rtol=1e-4)
    handles = [
        module.register_forward_pre_hook(lambda *_, name=name: ran.update([name.split("_")[0]]))
        for name, module in backbone.unet.named_modules()
        if name.endswith("conv1")
    ]
    other = backbone.denoise_cached(X, T + 400, context, cache)
    for handle in handles:
        handle.remove()
    assert ran == {"down": 1, "up": 2}
    assert 0 < float((other - backbone.denoise(X, T + 400, context)).abs().mean()) < 1
    with pytest.raises(A2VError, match="at most 20 frames at once, got 21"):
        backbone.denoise_cached(random(1, 4, LONGEST + 1, 2, 2), T, context, cache)


@torch.no_grad()
def test_attention_of_an_earlier_step(backbone: UNetMotionBackbone) -> None:
    context, cache = ContextBatch(TEXTS), FeatureCache(deep=False, attention=True, shallow=2)
    cache.begin(("text", "prompt"), deep=True, attention=True)
    fresh = backbone.denoise_cached(X, T, context, cache)
    cache.begin(("text", "prompt"), deep=True, attention=False)
    other = ContextBatch(random(2, 6, 7, TEXT_WIDTH, seed=9))
    torch.testing.assert_close(backbone.denoise_cached(X, T, other, cache), fresh, atol=1e-5, rtol=1e-4)


def test_more_frames_than_it_has_positions_for(backbone: UNetMotionBackbone) -> None:
    x, texts = random(1, 4, LONGEST + 1, 2, 2), random(1, LONGEST + 1, 7, TEXT_WIDTH)
    with torch.no_grad():
        longest = backbone.denoise(x[:, :, 1:], T, ContextBatch(texts[:, 1:]))
    assert longest.shape == (1, 4, LONGEST, 2, 2)
    with pytest.raises(A2VError, match=r"at most 20 frames at once, got 21.*Make a long video, with windows"):
        backbone.denoise(x, T, ContextBatch(texts))


@pytest.mark.parametrize(("clips", "frames"), [(1, 5), (3, 6)])
def test_texts_for_other_latents(backbone: UNetMotionBackbone, clips: int, frames: int) -> None:
    x = X.expand(2, -1, -1, -1, -1)
    with pytest.raises(A2VError, match=rf"text of {clips} clips x {frames} frames .* of 2 clips x 6"):
        backbone.denoise(x, T, ContextBatch(random(clips, frames, 7, TEXT_WIDTH)))


def test_work_and_places_to_cancel(backbone: UNetMotionBackbone) -> None:
    grid = Grid(4, 16, 64, 64)
    assert backbone.work_bytes("denoiser", grid, 2) == 2 * 16 * 64 * 64 * 21000 * 4
    ran: list[str] = []
    handles = [
        module.register_forward_pre_hook(lambda module, _: ran.append(type(module).__name__))
        for module in backbone.cancel_points()
    ]
    predicted(backbone)
    for handle in handles:
        handle.remove()
    assert len(ran) == len(handles) == 4 + 2 * 1 + 2 * 2


def test_fingerprints(motion_folder: Path, adapter_folder: Path, backbone: UNetMotionBackbone) -> None:
    other = load_unet_motion(motion_folder)
    assert other.fingerprint() == backbone.fingerprint()
    with torch.no_grad():
        other.unet.down_blocks[0].motion_modules[0].proj_in.weight[0, 0] += 1
    assert other.fingerprint() != backbone.fingerprint()
