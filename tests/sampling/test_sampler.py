"""The sampling loop: golden latents, the diffusers pipeline, seeds, guidance, cancelling."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.backbones.unet3d.backbone import UNet3DBackbone, spec_of
from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.backbones.unet3d.per_frame import per_frame_text
from a2v_core.errors import A2VError
from a2v_core.prompts.context import FrameContext
from a2v_core.sampling import decode_video
from a2v_core.sampling.sampler import sample
from a2v_core.sampling.settings import SampleSettings
from a2v_core.schedules.noise import SCHEDULERS
from tests.golden_recipe import recipe
from tests.tiny_t2v import TEXT_WIDTH, tiny_vae

# diffusers hands torch tensors to NumPy in ways that NumPy 2 will drop
pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")
SMALL = SampleSettings(steps=3, guidance_scale=5, width=32, height=24, num_frames=3)


@pytest.fixture(scope="module")
def backbone(tiny_folder: Path) -> UNet3DBackbone:
    return load_unet3d(tiny_folder)


@pytest.fixture(scope="module")
def contexts(backbone: UNet3DBackbone) -> tuple[FrameContext, FrameContext]:
    """A different text for every frame, and one negative text for all."""
    states = recipe("states", (3, 77, TEXT_WIDTH)) * 40
    negative = backbone.encode_prompt("", None, 3)
    return FrameContext(states, torch.arange(3)), negative


@pytest.mark.parametrize(("steps", "scale"), [(5, 25.0), (8, 9.0)])
def test_golden_latents(
    steps: int,
    scale: float,
    golden_unet: Any,
    unet_layout: dict[str, Any],
    unet_golden: dict[str, Tensor],
) -> None:
    texts = recipe("per_frame_text", (24, 77, 64)) * (77 * 64) ** 0.5
    negative = recipe("negative_text", (1, 77, 64)) * (77 * 64) ** 0.5
    vae = tiny_vae()
    spec = spec_of(golden_unet.config, vae.config, 64)
    backbone = UNet3DBackbone(golden_unet, vae, None, None, unet_layout["scheduler"], spec)
    result = sample(
        backbone,
        FrameContext(texts, torch.arange(24)),
        FrameContext(negative, torch.zeros(24, dtype=torch.int64)),
        SampleSettings(steps=steps, guidance_scale=scale, width=128, height=128, num_frames=24),
        latents=recipe("latents", (1, 4, 24, 16, 16)) * 32,
    )
    per_frame_text(golden_unet).remove()
    expected = unet_golden[f"latents_steps{steps}_cfg{scale:g}"]
    assert (result - expected).norm() / expected.norm() < 1e-3


def test_text_only_equals_the_diffusers_pipeline(tiny_folder: Path, backbone: UNet3DBackbone) -> None:
    """TextToVideoSDPipeline on the same folder, first noise, scheduler and prompts; latents and pictures."""
    from diffusers import DPMSolverMultistepScheduler, TextToVideoSDPipeline
    from diffusers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    pipeline = TextToVideoSDPipeline.from_pretrained(tiny_folder, local_files_only=True)
    logging.set_verbosity(level)
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.randn(1, 4, 5, 8, 6, generator=torch.Generator().manual_seed(0))
    arguments = {
        "prompt": "the red ball!",
        "negative_prompt": "a dog",
        "num_frames": 5,
        "height": 64,
        "width": 48,
        "num_inference_steps": 4,
        "guidance_scale": 7.5,
    }
    expected = pipeline(**arguments, latents=noise.clone(), output_type="latent").frames
    settings = SampleSettings(steps=4, guidance_scale=7.5, width=48, height=64, num_frames=5)
    positive = backbone.encode_prompt("the red ball!", None, 5)
    result = sample(backbone, positive, backbone.encode_prompt("a dog", None, 5), settings)
    torch.testing.assert_close(result, expected, atol=1e-3, rtol=1e-4)

    pictures = pipeline(**arguments, latents=noise.clone(), output_type="pt").frames[0].permute(0, 2, 3, 1)
    frames = decode_video(backbone, result, 2)
    torch.testing.assert_close(frames, pictures, atol=1e-4, rtol=0)


def test_a_seed_is_a_clip(backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]) -> None:
    once = sample(backbone, *contexts, SMALL)
    assert once.shape == (1, 4, 3, 3, 4)
    assert once.dtype == torch.float32
    torch.randn(5)  # the global generator plays no part
    assert torch.equal(once, sample(backbone, *contexts, SMALL))
    assert not torch.equal(once, sample(backbone, *contexts, replace(SMALL, seed=1)))
    noise = torch.randn(1, 4, 3, 3, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(once, sample(backbone, *contexts, SMALL, latents=noise))


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_samples_and_repeats(
    name: str, backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]
) -> None:
    settings = replace(SMALL, scheduler=name, seed=2**64 - 1)
    result = sample(backbone, *contexts, settings)
    assert result.isfinite().all()
    assert torch.equal(result, sample(backbone, *contexts, settings))


def test_guidance_one_runs_one_branch(
    backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]
) -> None:
    positive, negative = contexts
    batches: list[int] = []
    handle = backbone.unet.conv_out.register_forward_pre_hook(
        lambda module, args: batches.append(len(args[0]) // SMALL.num_frames)
    )
    guided = sample(backbone, positive, negative, SMALL)
    alone = sample(backbone, positive, negative, replace(SMALL, guidance_scale=1))
    without_negative = sample(backbone, positive, None, replace(SMALL, guidance_scale=1))
    same = sample(backbone, positive, positive, SMALL)
    handle.remove()
    assert batches == [2] * 3 + [1] * 6 + [2] * 3
    assert torch.equal(alone, without_negative)
    torch.testing.assert_close(same, alone, atol=1e-3, rtol=1e-3)
    assert not torch.allclose(guided, alone, atol=0.1)


def test_callback_sees_every_step_and_a_preview(
    backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]
) -> None:
    seen: list[tuple[int, int, Tensor, Tensor]] = []
    result = sample(backbone, *contexts, SMALL, callback=lambda *report: seen.append(report))
    assert [report[:2] for report in seen] == [(0, 3), (1, 3), (2, 3)]
    assert all(report[2].shape == result.shape for report in seen)
    # The last step of the default scheduler goes to the clean estimate itself.
    torch.testing.assert_close(seen[-1][2], result, atol=1e-3, rtol=1e-3)
    assert torch.equal(seen[-1][3], result)


def test_second_order_schedulers_report_their_real_number_of_steps(
    backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]
) -> None:
    totals: list[tuple[int, int]] = []
    settings = replace(SMALL, scheduler="heun")
    sample(backbone, *contexts, settings, callback=lambda step, total, x0, x: totals.append((step, total)))
    assert totals == [(step, 5) for step in range(5)]


def test_cancelled_by_the_callback_within_one_step(
    backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]
) -> None:
    class Cancelled(Exception):
        pass

    calls: list[int] = []

    def cancel(step: int, total: int, estimate: Tensor, latents: Tensor) -> None:
        calls.append(step)
        raise Cancelled

    with pytest.raises(Cancelled):
        sample(backbone, *contexts, SMALL, callback=cancel)
    assert calls == [0]
    assert sample(backbone, *contexts, SMALL).isfinite().all()


@pytest.mark.parametrize(("unet", "vae", "text"), [("bf16", "fp32", "fp32"), ("fp16", "bf16", "bf16")])
def test_parts_may_have_different_dtypes(tiny_folder: Path, unet: str, vae: str, text: str) -> None:
    mixed = load_unet3d(tiny_folder, unet)
    mixed.vae = load_unet3d(tiny_folder, vae).vae
    mixed.text_encoder = load_unet3d(tiny_folder, text).text_encoder
    full = load_unet3d(tiny_folder)

    def clip(backbone: UNet3DBackbone) -> Tensor:
        positive, negative = (backbone.encode_prompt(p, None, 3) for p in ("a red ball", ""))
        latents = sample(backbone, positive, negative, replace(SMALL, guidance_scale=2))
        assert latents.dtype == torch.float32
        return decode_video(backbone, latents)

    assert (clip(mixed) - clip(full)).abs().mean() < 0.02


def test_one_frame_and_odd_latent_sizes(backbone: UNet3DBackbone) -> None:
    for width, height, frames in ((8, 8, 1), (72, 40, 1), (24, 56, 2)):
        settings = SampleSettings(steps=2, width=width, height=height, num_frames=frames, guidance_scale=3)
        texts = [backbone.encode_prompt(prompt, None, frames) for prompt in ("a ball", "")]
        assert sample(backbone, texts[0], texts[1], settings).shape == (1, 4, frames, height // 8, width // 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps is 0: at least 1"),
        ({"num_frames": -1}, "num_frames is -1: expected 1 or more, or 0 = the model's"),
        ({"width": 100}, r"width is 100 pixels: it must be divisible by 8, such as 96"),
        ({"height": 3}, "height is 3 pixels.*such as 8"),
        ({"height": -8}, "height is -8: expected 1 or more"),
        ({"scheduler": "dpmpp"}, "Unknown scheduler 'dpmpp': choose one of dpmpp_2m, "),
        ({"guidance_scale": float("nan")}, "guidance_scale is nan"),
        ({"guidance_scale": -1.0}, "guidance_scale is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**64}, "seed is 18446744073709551616"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    backbone: UNet3DBackbone, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(A2VError, match=message):
        replace(SMALL, **change).resolved(backbone.spec)


def test_settings_left_open_are_those_of_the_model(backbone: UNet3DBackbone) -> None:
    own = SampleSettings().resolved(backbone.spec)
    assert (own.num_frames, own.width, own.height) == (24, 64, 64)
    assert own.grid(backbone.spec).shape == (1, 4, 24, 8, 8)


def test_more_steps_than_the_noise_schedule_has(
    backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]
) -> None:
    with pytest.raises(A2VError, match=r"steps is 1001: .* has 1000 steps"):
        sample(backbone, *contexts, replace(SMALL, steps=1001))


def test_contexts_and_latents_must_fit(
    backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]
) -> None:
    positive, negative = contexts
    with pytest.raises(A2VError, match="prompt is encoded for 3 frames, but 4"):
        sample(backbone, positive, backbone.encode_prompt("", None, 4), replace(SMALL, num_frames=4))
    with pytest.raises(A2VError, match="negative prompt is encoded for 4 frames, but 3"):
        sample(backbone, positive, backbone.encode_prompt("", None, 4), SMALL)
    with pytest.raises(A2VError, match="no negative prompt"):
        sample(backbone, positive, None, SMALL)
    with pytest.raises(A2VError, match=r"shape \[1, 4, 3, 4, 4\].*32 x 24 pixels need \[1, 4, 3, 3, 4\]"):
        sample(backbone, positive, negative, SMALL, latents=torch.zeros(1, 4, 3, 4, 4))


def test_overflow_is_an_error_not_a_black_video(
    backbone: UNet3DBackbone, contexts: tuple[FrameContext, FrameContext]
) -> None:
    with pytest.raises(A2VError, match=r"not finite.*bf16"):
        sample(backbone, *contexts, SMALL, latents=torch.full((1, 4, 3, 3, 4), torch.inf))
