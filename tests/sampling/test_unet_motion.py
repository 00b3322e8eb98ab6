"""AnimateDiff sampled: as diffusers' own pipeline does it, frame by frame, and for longer videos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import Tensor

from a2v_core.backbones import Backbone, load_t2v
from a2v_core.errors import A2VError
from a2v_core.prompts import FrameContext
from a2v_core.sampling import SampleSettings, sample
from a2v_core.sampling.long import LongMode, LongSettings, Progress, sample_long
from a2v_core.tokens import AudioTokens
from tests.tiny_motion import LONGEST
from tests.tiny_t2v import TEXT_WIDTH

FRAMES = 6
SETTINGS = SampleSettings(4, 3.0, scheduler="ddim", seed=5, width=32, height=32, num_frames=FRAMES)
LONG = LongSettings("model", window=8, stride=4)
MODES = get_args(LongMode)


@pytest.fixture(scope="module")
def backbone(motion_folder: Path) -> Backbone:
    return load_t2v(motion_folder)


def words(frames: int) -> Tensor:
    return torch.randn(frames, TEXT_WIDTH, generator=torch.Generator().manual_seed(1))


def contexts(backbone: Backbone, rows: Tensor) -> tuple[FrameContext, FrameContext]:
    """Of a prompt with a word of its own for every frame, and of no prompt."""
    tokens = AudioTokens({"temp": rows}, 8.0)
    positive = backbone.encode_prompt("a ball <temp>", tokens, len(rows))
    return positive, backbone.encode_prompt("", None, len(rows))


@pytest.mark.parametrize("scale", [3.0, 1.0])
def test_equals_the_pipeline_of_diffusers(motion_folder: Path, backbone: Backbone, scale: float) -> None:
    from diffusers import AnimateDiffPipeline

    pipeline = AnimateDiffPipeline.from_pretrained(motion_folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.randn(1, 4, FRAMES, 4, 4, generator=torch.Generator().manual_seed(2))
    expected = pipeline(
        "a ball", FRAMES, 32, 32, 4, scale, "the sea", latents=noise.clone(), output_type="latent"
    ).frames
    texts = [backbone.encode_prompt(text, None, FRAMES) for text in ("a ball", "the sea")]
    made = sample(backbone, texts[0], texts[1], replace(SETTINGS, guidance_scale=scale), latents=noise)
    assert expected.shape == made.shape
    torch.testing.assert_close(made, expected, atol=1e-4, rtol=1e-4)


def test_a_word_changes_its_frame_most(backbone: Backbone) -> None:
    rows = words(FRAMES)
    other = rows.clone()
    other[2] *= -1
    made = [sample(backbone, *contexts(backbone, one), SETTINGS) for one in (rows, other)]
    change = (made[1] - made[0]).abs().mean(dim=(0, 1, 3, 4))
    assert change.argmax() == 2
    assert change[2] > 1.5 * change[[0, 1, 3, 4, 5]].max()


def test_native_length_and_size(backbone: Backbone) -> None:
    settings = replace(SETTINGS, steps=1, width=0, height=0, num_frames=0)
    assert sample(backbone, *contexts(backbone, words(16)), settings).shape == (1, 4, 16, 8, 8)


def test_all_positions_at_once_and_no_more(backbone: Backbone) -> None:
    for frames in (LONGEST, LONGEST + 1):
        settings = replace(SETTINGS, steps=1, num_frames=frames)
        texts = contexts(backbone, words(frames))
        if frames == LONGEST:
            assert sample(backbone, *texts, settings).shape[2] == frames
        else:
            with pytest.raises(A2VError, match=r"at most 20 frames at once, got 21.*Make a long video"):
                sample(backbone, *texts, settings)


def test_speed_modes(backbone: Backbone) -> None:
    texts = contexts(backbone, words(FRAMES))
    exact = sample(backbone, *texts, SETTINGS)
    half = sample(backbone, *texts, replace(SETTINGS, speed="bf16"))
    assert 0 < (half - exact).abs().mean() < 0.05 * exact.abs().mean()
    for speed in ("deep_2", "attention_2"):
        saved = sample(backbone, *texts, replace(SETTINGS, speed=speed))
        assert 0 < (saved - exact).abs().mean() < 0.5 * exact.abs().mean()


@pytest.mark.parametrize("mode", MODES)
def test_long_videos_in_windows(backbone: Backbone, mode: LongMode) -> None:
    long = replace(LONG, mode=mode)
    frames = LONGEST + 8
    settings = replace(SETTINGS, steps=2, num_frames=frames)
    texts = contexts(backbone, words(frames))
    made = sample_long(backbone, *texts, settings, long)
    assert made.shape == (1, 4, frames, 4, 4)
    apart = sample_long(backbone, *texts, replace(settings, batch_guidance=False), long)
    torch.testing.assert_close(made, apart, atol=1e-4, rtol=1e-4)
    with pytest.raises(A2VError, match="windows of at most 20 frames; 16 are best"):
        sample_long(backbone, *texts, settings, LongSettings(mode, window=LONGEST + 1))


@pytest.mark.parametrize("mode", MODES)
def test_a_video_of_one_window_is_plain(backbone: Backbone, mode: LongMode) -> None:
    texts = contexts(backbone, words(8))
    settings = replace(SETTINGS, num_frames=8)
    long = sample_long(backbone, *texts, settings, replace(LONG, mode=mode))
    assert torch.equal(long, sample(backbone, *texts, settings))


class KilledError(Exception):
    """Ends a run in the middle."""


@pytest.mark.parametrize("mode", MODES)
def test_a_killed_run_goes_on(
    motion_folder: Path, backbone: Backbone, tmp_path: Path, mode: LongMode
) -> None:
    long = replace(LONG, mode=mode)
    texts = contexts(backbone, words(12))
    settings = replace(SETTINGS, num_frames=12, scheduler="dpmpp_2m_sde")
    whole = sample_long(backbone, *texts, settings, long)

    def kill(step: int, *_: object) -> None:
        if step == 1:
            raise KilledError

    with pytest.raises(KilledError):
        sample_long(backbone, *texts, settings, long, kill, progress=Progress(tmp_path))
    assert len(list(tmp_path.glob("*/*.safetensors"))) == 2
    again = load_t2v(motion_folder)
    assert torch.equal(sample_long(again, *texts, settings, long, progress=Progress(tmp_path)), whole)
