"""Long videos: what has to equal plain sampling does, and every frame knows its neighbours only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.backbones.clip_unet.chunked import denoise_long
from a2v_core.backbones.clip_unet.temporal import Plan
from a2v_core.backbones.unet3d.backbone import UNet3DBackbone
from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.backbones.unet3d.per_frame import denoise
from a2v_core.backbones.windows import make_windows
from a2v_core.errors import A2VError
from a2v_core.prompts import ContextBatch
from a2v_core.prompts.context import FrameContext
from a2v_core.sampling.long.denoise import LongDenoise
from a2v_core.sampling.long.sampler import first_noise, sample_long
from a2v_core.sampling.long.settings import LongMode, LongSettings
from a2v_core.sampling.sampler import sample
from a2v_core.sampling.settings import SampleSettings
from tests.plain_backbone import Plain
from tests.tiny_t2v import TEXT_WIDTH

CPU = torch.device("cpu")
SETTINGS = SampleSettings(steps=3, guidance_scale=3, seed=5, width=64, height=64, num_frames=8)
LONG = LongSettings(window=8, stride=4)


@pytest.fixture(scope="module")
def backbone(tiny_folder: Path) -> UNet3DBackbone:
    return load_unet3d(tiny_folder)


def contexts(frames: int, seed: int = 0) -> tuple[FrameContext, FrameContext]:
    generator = torch.Generator().manual_seed(seed)
    own = torch.randn(frames, 7, TEXT_WIDTH, generator=generator)
    shared = torch.randn(1, 7, TEXT_WIDTH, generator=generator)
    return FrameContext(own, torch.arange(frames)), FrameContext(
        shared, torch.zeros(frames, dtype=torch.int64)
    )


def long_prediction(unet: Any, latents: Tensor, text: Tensor, chunk: int, window: int, **plan: Any) -> Tensor:
    windows = make_windows(len(latents), window, max(1, window // 2), plan.get("closed_loop", False))
    return denoise_long(unet, latents, torch.tensor(321), text[None], Plan(windows, chunk, CPU, CPU, **plan))[
        0
    ]


def test_a_stride_for_long_videos_leaves_short_ones_alone(backbone: UNet3DBackbone) -> None:
    short = replace(SETTINGS, num_frames=4)
    far = LongSettings(stride=40)
    expected = sample(backbone, *contexts(4), short)
    assert torch.equal(sample_long(backbone, *contexts(4), short, far), expected)
    with pytest.raises(A2VError, match="stride is 40 frames and window 24"):
        sample_long(backbone, *contexts(25), replace(SETTINGS, num_frames=25), far)


@pytest.mark.parametrize("size", [(8, 8), (5, 6)])
@pytest.mark.parametrize("chunk", [4, 13, 40])
def test_one_window_of_all_frames_is_the_stock_unet(
    backbone: UNet3DBackbone, golden_unet: Any, size: tuple[int, int], chunk: int
) -> None:
    """Cut into chunks of frames and of pixels, every layer computes what diffusers' own forward does."""
    for unet, width in ((backbone.unet, TEXT_WIDTH), (golden_unet, golden_unet.config.cross_attention_dim)):
        generator = torch.Generator().manual_seed(1)
        latents = torch.randn(13, 4, *size, generator=generator)
        text = torch.randn(13, 7, width, generator=generator)
        with torch.no_grad():
            stock = denoise(unet, latents.transpose(0, 1)[None], torch.tensor(321), text[None])
        found = long_prediction(unet, latents, text, chunk, window=13)
        torch.testing.assert_close(found.transpose(0, 1)[None], stock, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", ["attention", "model"])
@pytest.mark.parametrize("frames", [5, 8])
def test_one_window_is_plain_sampling_bit_for_bit(
    backbone: UNet3DBackbone, mode: LongMode, frames: int
) -> None:
    settings = replace(SETTINGS, num_frames=frames, scheduler="euler_a")
    positive, negative = contexts(frames)
    plain = sample(backbone, positive, negative, settings)
    assert torch.equal(sample_long(backbone, positive, negative, settings, replace(LONG, mode=mode)), plain)
    assert torch.equal(sample_long(backbone, positive, negative, settings), plain)


@pytest.mark.parametrize("mode", ["attention", "model"])
def test_chunks_do_not_change_a_long_prediction(backbone: UNet3DBackbone, mode: LongMode) -> None:
    latents = torch.randn(21, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    text = contexts(21)[0].states
    small, large = (long_prediction(backbone.unet, latents, text, chunk, window=8) for chunk in (3, 21))
    torch.testing.assert_close(small, large, rtol=1e-4, atol=1e-5)


def test_windows_of_the_model_are_its_own_predictions(backbone: UNet3DBackbone) -> None:
    """A frame in the middle of one window only is what the model says of that window."""
    latents = torch.randn(1, 4, 12, 8, 8, generator=torch.Generator().manual_seed(3))
    text = ContextBatch.of(contexts(12)[:1])
    model = LongDenoise(backbone, LongSettings(mode="model", window=8, stride=4))
    with torch.no_grad():
        found = model(latents, torch.tensor(500), text)
        first = backbone.denoise(latents[:, :, :8], torch.tensor(500), text.frames(torch.arange(8)))
        second = backbone.denoise(latents[:, :, 4:], torch.tensor(500), text.frames(torch.arange(4, 12)))
    torch.testing.assert_close(found[:, :, :4], first[:, :, :4])
    torch.testing.assert_close(found[:, :, 8:], second[:, :, 4:])
    # Frame 5 is sixth in the first window and second in the second: weights 3 and 2.
    torch.testing.assert_close(found[:, :, 5], (3 * first[:, :, 5] + 2 * second[:, :, 1]) / 5)


def test_guidance_branches_do_not_mix(backbone: UNet3DBackbone) -> None:
    latents = torch.randn(1, 4, 12, 8, 8, generator=torch.Generator().manual_seed(4))
    positive, negative = contexts(12)
    both = ContextBatch.of([negative, positive])
    model = LongDenoise(backbone, LONG)
    with torch.no_grad():
        found = model(latents.expand(2, -1, -1, -1, -1), torch.tensor(500), both)
        alone = model(latents, torch.tensor(500), both.rows([1]))
    torch.testing.assert_close(found[1:], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", ["attention", "model"])
def test_a_closed_loop_has_no_first_frame(backbone: UNet3DBackbone, mode: LongMode) -> None:
    """Turned by a stride, noise and text give the turned video."""
    latents = torch.randn(1, 4, 16, 8, 8, generator=torch.Generator().manual_seed(5))
    text = ContextBatch.of(contexts(16)[:1])
    model = LongDenoise(backbone, replace(LONG, mode=mode, closed_loop=True))
    line = LongDenoise(backbone, replace(LONG, mode=mode))
    with torch.no_grad():
        found = model(latents, torch.tensor(500), text)
        turned = model(latents.roll(4, 2), torch.tensor(500), ContextBatch(text.states.roll(4, 1)))
        open_end = line(latents, torch.tensor(500), text)
        open_turned = line(latents.roll(4, 2), torch.tensor(500), ContextBatch(text.states.roll(4, 1)))
    torch.testing.assert_close(turned, found.roll(4, 2), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(open_turned, open_end.roll(4, 2), rtol=1e-2, atol=1e-3)


def test_long_noise_begins_as_that_of_a_short_clip(backbone: UNet3DBackbone) -> None:
    noise = first_noise(backbone, replace(SETTINGS, num_frames=20), LONG)
    assert tuple(noise.shape) == (1, 4, 20, 8, 8)
    short = torch.randn(1, 4, 8, 8, 8, generator=torch.Generator().manual_seed(5))
    assert torch.equal(noise[:, :, :8], short)
    fresh = first_noise(backbone, replace(SETTINGS, num_frames=20), replace(LONG, noise=20))
    assert torch.equal(fresh, torch.randn(1, 4, 20, 8, 8, generator=torch.Generator().manual_seed(5)))


@pytest.mark.parametrize("mode", ["attention", "model"])
def test_a_long_video_is_sampled(backbone: UNet3DBackbone, mode: LongMode) -> None:
    seen: list[int] = []
    follow: Callable[[int, int, Tensor, Tensor], None] = lambda step, *_: seen.append(step)  # noqa: E731
    settings = replace(SETTINGS, num_frames=21)
    made = sample_long(backbone, *contexts(21), settings, replace(LONG, mode=mode), follow)
    assert tuple(made.shape) == (1, 4, 21, 8, 8)
    assert bool(made.isfinite().all())
    assert seen == [0, 1, 2]
    again = sample_long(backbone, *contexts(21), settings, replace(LONG, mode=mode))
    assert torch.equal(made, again)


def test_what_waits_on_the_cpu_gives_the_same(backbone: UNet3DBackbone) -> None:
    settings = replace(SETTINGS, num_frames=12)
    here, there = (
        sample_long(backbone, *contexts(12), settings, replace(LONG, on_cpu=on_cpu))
        for on_cpu in (False, True)
    )
    assert torch.equal(here, there)


def test_half_precision(tiny_folder: Path) -> None:
    half, full = load_unet3d(tiny_folder, "bf16"), load_unet3d(tiny_folder)
    settings = replace(SETTINGS, num_frames=12, steps=1, guidance_scale=1)
    coarse, fine = (sample_long(one, contexts(12)[0], None, settings, LONG) for one in (half, full))
    assert 0 < (coarse - fine).abs().mean() < 0.05 * fine.abs().mean()


def test_a_backbone_without_windowed_attention_is_told_of_the_other_mode(backbone: UNet3DBackbone) -> None:
    other = Plain(backbone)
    with pytest.raises(A2VError, match=r"'model', .* runs any model.*lacks WindowedAttention"):
        LongDenoise(other, LONG)
    settings = replace(SETTINGS, num_frames=12)
    found = sample_long(other, *contexts(12), settings, replace(LONG, mode="model"))
    assert torch.equal(found, sample_long(backbone, *contexts(12), settings, replace(LONG, mode="model")))
