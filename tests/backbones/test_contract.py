"""Facts of a model: sizes and lengths that can be, and what it cannot do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from a2v_core.backbones import (
    BackboneSpec,
    FeatureReuse,
    Grid,
    HalfPrecision,
    Recompute,
    WindowedAttention,
    WordEmbeddings,
    networks,
    require,
)
from a2v_core.backbones.unet3d import load_unet3d
from a2v_core.errors import A2VError
from a2v_core.sampling import SampleSettings, sample
from tests.plain_backbone import Plain

CAPABILITIES: tuple[Any, ...] = (FeatureReuse, HalfPrecision, Recompute, WindowedAttention, WordEmbeddings)


def spec(**facts: Any) -> BackboneSpec:
    return BackboneSpec("a toy", 16, 8, 16, 81, (832, 480), 32, "Wan21", **facts)


PICTURES, CAUSAL, BLOCKS = spec(), spec(time=4, first_alone=True), spec(time=8)


@pytest.mark.parametrize(
    ("facts", "frames", "latent_frames"),
    [(PICTURES, 1, 1), (PICTURES, 24, 24), (CAUSAL, 1, 1), (CAUSAL, 5, 2), (CAUSAL, 81, 21), (BLOCKS, 16, 2)],
)
def test_latents_of_a_clip(facts: BackboneSpec, frames: int, latent_frames: int) -> None:
    grid = facts.grid(frames, 832, 480)
    assert grid == Grid(16, latent_frames, 60, 104)
    assert grid.shape == (1, 16, latent_frames, 60, 104)
    assert Grid.of(torch.empty(grid.shape, device="meta")) == grid
    assert grid.of_frames(3).frames == 3
    assert facts.latent_frames(frames) == latent_frames
    # Latent frames show all frames of the video, each once and in order.
    assert [n for place in range(latent_frames) for n in facts.frames_of(place)] == list(range(frames))


@pytest.mark.parametrize(
    ("facts", "clip", "message"),
    [
        (PICTURES, (0, 64, 64), "num_frames is 0: a video needs at least 1 frame"),
        (CAUSAL, (24, 64, 64), r"num_frames is 24: a toy makes videos of 4n\+1 frames, such as 25"),
        (CAUSAL, (2, 64, 64), r"4n\+1 frames, such as 1$"),
        (BLOCKS, (3, 64, 64), "num_frames is 3: a toy makes videos of 8n frames, such as 8"),
        (PICTURES, (1, 72, 64), "width is 72 pixels: it must be divisible by 16, such as 64"),
        (PICTURES, (1, 64, 8), "height is 8 pixels: it must be divisible by 16, such as 16"),
    ],
)
def test_what_cannot_be_is_told_with_the_nearest(
    facts: BackboneSpec, clip: tuple[int, int, int], message: str
) -> None:
    with pytest.raises(A2VError, match=message):
        facts.grid(*clip)


def test_how_the_sound_comes_in() -> None:
    words, beside = spec(), replace(spec(), token_width=None)
    assert (words.audio, words.word_width) == ("words", 32)
    assert beside.audio == "frame_attention"
    with pytest.raises(A2VError, match=r"a toy has no audio words in its prompts: .* an audio adapter"):
        _ = beside.word_width


def test_capabilities(tiny_folder: Path) -> None:
    backbone = load_unet3d(tiny_folder)
    plain = Plain(backbone)
    for capability in CAPABILITIES:
        assert require(backbone, capability, "a test") is backbone
        with pytest.raises(A2VError, match=f"a test: UNet3D.*lacks {capability.__name__}"):
            require(plain, capability, "a test")


@pytest.mark.parametrize(("speed", "lacks"), [("deep_2", "FeatureReuse"), ("bf16", "HalfPrecision")])
def test_a_mode_that_a_model_lacks_is_refused(tiny_folder: Path, speed: str, lacks: str) -> None:
    plain = Plain(load_unet3d(tiny_folder))
    texts = [plain.encode_prompt(text, None, 2) for text in ("a ball", "")]
    with pytest.raises(A2VError, match=lacks):
        sample(plain, texts[0], texts[1], SampleSettings(2, 2.0, num_frames=2, speed=speed))


def test_work_grows_with_the_clip(tiny_folder: Path) -> None:
    backbone = load_unet3d(tiny_folder)
    grid = Grid(4, 24, 32, 32)
    one, two = (backbone.work_bytes("denoiser", grid, branches) for branches in (1, 2))
    assert two == 2 * one == 2 * 24 * 32 * 32 * 21000 * 4
    assert backbone.work_bytes("vae", grid.of_frames(1)) == 32 * 32 * 2178 * 64 * 4
    assert [type(network).__name__ for network in networks(backbone)] == [
        "CLIPTextModel",
        "UNet3DConditionModel",
        "AutoencoderKL",
    ]
