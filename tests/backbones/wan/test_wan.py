"""A real, tiny Wan against diffusers' own pipeline."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from a2v_core.backbones import (
    Grid,
    load_t2v,
)
from a2v_core.backbones.wan import WanBackbone
from a2v_core.errors import A2VError, CheckpointError
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.prompts import ContextBatch
from a2v_core.sampling import decode_video
from tests.backbones.wan.clip import FRAMES, PROMPT, SETTINGS, SIDE
from tests.golden_recipe import recipe
from tests.tiny_wan import CHANNELS, HEAD_DIM, HEADS, LAYERS, SHIFT, TEXT_WIDTH, TI2V_CHANNELS, make_tiny_wan


def test_its_facts(wan: WanBackbone) -> None:
    spec = wan.spec
    assert (spec.family, spec.latent_channels, spec.space, spec.time) == ("Wan", CHANNELS, 8, 4)
    assert (spec.first_alone, spec.size_multiple, spec.latent_format) == (True, 16, "Wan21")
    assert (spec.audio, spec.token_width) == ("frame_attention", None)
    assert wan.block_stack() == (LAYERS, HEADS * HEAD_DIM, TEXT_WIDTH)
    assert spec.grid(81, 832, 480) == Grid(16, 21, 60, 104)
    assert wan.shift == SHIFT
    with pytest.raises(A2VError, match=r"num_frames is 80: Wan makes videos of 4n\+1 frames, such as 81"):
        spec.grid(80, 832, 480)


def test_it_equals_the_pipeline_of_diffusers(folder: Path, wan: WanBackbone) -> None:
    assert_equals_the_pipeline(folder, wan, SIDE)


def test_a_model_of_the_5b_kind_equals_the_pipeline(tmp_path: Path) -> None:
    """48 channels of 16 x 16 pixels, and a timestep for every token: of pure text all are the same."""
    folder = make_tiny_wan(tmp_path / "wan", channels=TI2V_CHANNELS)
    wan = load_t2v(folder)
    assert isinstance(wan, WanBackbone)
    spec = wan.spec
    assert (spec.latent_channels, spec.space, spec.size_multiple, spec.time) == (48, 16, 32, 4)
    assert (spec.latent_format, spec.native_frames, spec.native_size) == ("Wan22", 121, (1280, 704))
    assert json.loads((folder / "model_index.json").read_text())["expand_timesteps"] is True
    assert_equals_the_pipeline(folder, wan, 64)
    frames = recipe("frames", (5, 64, 64, 3)) + 0.5
    assert wan.encode(frames).shape == (1, 48, 2, 4, 4)


@torch.no_grad()
def assert_equals_the_pipeline(folder: Path, wan: WanBackbone, side: int) -> None:
    """Frames of a short video, noise to pictures."""
    from diffusers import WanPipeline

    settings = replace(SETTINGS, width=side, height=side)
    pipeline = WanPipeline.from_pretrained(str(folder), local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.randn(settings.grid(wan.spec).shape, generator=torch.Generator().manual_seed(6))
    expected = pipeline(
        PROMPT,
        "a dog",
        height=side,
        width=side,
        num_frames=FRAMES,
        num_inference_steps=3,
        guidance_scale=4.0,
        latents=noise,
        output_type="pt",
        max_sequence_length=512,
    ).frames[0]
    video = VideoPipeline(wan).generate(VideoRequest(PROMPT, None, "a dog", settings=settings))
    assert video.frames.shape == (FRAMES, side, side, 3)
    torch.testing.assert_close(video.frames, expected.permute(0, 2, 3, 1), atol=2e-3, rtol=0)
    assert float(video.frames.std()) > 0.01


@torch.no_grad()
def test_pictures_come_piece_by_piece_and_go_back(wan: WanBackbone) -> None:
    frames = recipe("frames", (FRAMES, SIDE, SIDE, 3)) + 0.5
    latents = wan.encode(frames)
    assert latents.shape == (1, CHANNELS, 3, 4, 4)
    pieces = list(wan.decode(latents))
    assert [len(piece) for piece in pieces] == [1, 4, 4]
    mean = torch.tensor(wan.vae.config.latents_mean).view(1, -1, 1, 1, 1)
    std = torch.tensor(wan.vae.config.latents_std).view(1, -1, 1, 1, 1)
    whole = wan.vae.decode(latents * std + mean).sample[0].clamp(-1, 1).permute(1, 2, 3, 0) / 2 + 0.5
    torch.testing.assert_close(torch.cat(pieces), whole, atol=1e-5, rtol=0)
    pixels = frames.permute(3, 0, 1, 2)[None] * 2 - 1
    expected = (wan.vae.encode(pixels).latent_dist.mode() - mean) / std
    torch.testing.assert_close(latents, expected, atol=1e-5, rtol=0)


def test_text_is_followed_by_zeros(wan: WanBackbone) -> None:
    context = wan.encode_prompt("a red ball", None, FRAMES)
    assert context.states.shape == (1, 512, 24)
    assert context.num_frames == 3
    assert float(context.states[0, :4].abs().min(-1).values.max()) > 0
    assert float(context.states[0, 4:].abs().max()) == 0
    same = wan.encode_prompt("a  red &amp;amp; ball", None, FRAMES)
    assert torch.equal(same.states, wan.encode_prompt("a red & ball", None, FRAMES).states)


def test_two_denoisers_take_turns(tmp_path: Path) -> None:
    wan = load_t2v(make_tiny_wan(tmp_path / "wan", second=True))
    assert isinstance(wan, WanBackbone)
    assert len(wan.parts()["denoiser"]) == 2
    assert wan.boundary == 875.0
    context = ContextBatch.of([wan.encode_prompt(PROMPT, None, FRAMES)])
    x = torch.randn(SETTINGS.grid(wan.spec).shape)
    with torch.no_grad():
        for t, number in ((900.0, 0), (875.0, 0), (874.0, 1)):
            expected = wan.denoisers[number](x, torch.tensor([t]), context.states[:, 0]).sample
            assert torch.equal(wan.denoise(x, torch.tensor(t), context), expected)
    with pytest.raises(A2VError, match="timesteps of both denoisers"):
        wan.denoise(x, torch.tensor([900.0, 100.0]), context)


def test_parts_and_precision(folder: Path) -> None:
    vae = load_t2v(folder, parts=["vae"])
    assert list(vae.parts()) == ["vae"]
    assert decode_video(vae, torch.zeros(1, CHANNELS, 2, 2, 2)).shape == (5, 16, 16, 3)
    wan = load_t2v(folder, "bf16", parts=["denoiser", "text"])
    (denoiser,) = wan.parts()["denoiser"]
    dtypes = {name: p.dtype for name, p in denoiser.named_parameters()}
    assert dtypes["blocks.0.attn1.to_q.weight"] == torch.bfloat16
    assert dtypes["condition_embedder.time_embedder.linear_1.weight"] == torch.float32
    assert dtypes["scale_shift_table"] == torch.float32
    exact = load_t2v(folder)
    x = torch.randn(1, CHANNELS, 3, 4, 4)
    with torch.no_grad():
        both = [
            backbone.denoise(
                x, torch.tensor(500.0), ContextBatch.of([backbone.encode_prompt(PROMPT, None, FRAMES)])
            ).float()
            for backbone in (wan, exact)
        ]
    assert float((both[0] - both[1]).abs().mean() / both[1].abs().mean()) < 0.05


def test_a_missing_weight_and_another_model_are_named(folder: Path, tmp_path: Path) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, tmp_path / "wan")
    path = tmp_path / "wan" / "transformer" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    del tensors["blocks.1.attn2.to_k.weight"]
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match=r"blocks\.1\.attn2\.to_k\.weight"):
        load_t2v(tmp_path / "wan")
    config = tmp_path / "wan" / "transformer" / "config.json"
    settings = json.loads(config.read_text()) | {"in_channels": 36}
    config.write_text(json.dumps(settings))
    with pytest.raises(CheckpointError, match="image-to-video models are not supported"):
        load_t2v(tmp_path / "wan")
