"""A real, tiny Wan against diffusers' own pipeline, and with an audio adapter in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.backbones import AudioAdapted, Grid, load_t2v, require
from a2v_core.backbones.dit import AdapterConfig, AudioAdapter
from a2v_core.backbones.wan import WanBackbone
from a2v_core.backbones.wan.text import say_that_words_go
from a2v_core.errors import A2VError, CheckpointError
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.prompts import ContextBatch
from a2v_core.sampling import SampleSettings, decode_video
from a2v_core.sampling.long import LongSettings, Progress
from a2v_core.tokens import AudioMapper, AudioTokens, MapperConfig
from tests.golden_recipe import fill_module, recipe
from tests.tiny_wan import CHANNELS, HEAD_DIM, HEADS, LAYERS, SHIFT, TEXT_WIDTH, make_tiny_wan

PROMPT, FRAMES, SIDE = "a red ball bouncing", 9, 32
SETTINGS = SampleSettings(3, 4.0, "unipc", seed=6, width=SIDE, height=SIDE, num_frames=FRAMES)
WORDS = ("temp", "class")
TOKEN_WIDTH = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_wan(tmp_path_factory.mktemp("wan") / "wan")


@pytest.fixture
def wan(folder: Path) -> WanBackbone:
    backbone = load_t2v(folder)
    assert isinstance(backbone, WanBackbone)
    return backbone


def adapter(**changes: Any) -> AudioAdapter:
    config: dict[str, Any] = {
        "family": "Wan",
        "base_model": "tiny Wan",
        "width": HEADS * HEAD_DIM,
        "layers": LAYERS,
        "blocks": (0, 2),
        "time": 4,
        "first_alone": True,
        "token_width": TOKEN_WIDTH,
        "inner": 16,
        "heads": 2,
        "kinds": WORDS,
    }
    mapper = AudioMapper(MapperConfig(input_size=4, hidden_size=4, output_size=TOKEN_WIDTH))
    made = AudioAdapter(AdapterConfig(**(config | changes)), mapper)
    layers = made.attention
    layers.load_state_dict({name: 5 * value for name, value in fill_module(layers.state_dict()).items()})
    return made.eval().requires_grad_(False)


def tokens_of(frames: int) -> AudioTokens:
    return AudioTokens({word: 20 * recipe(word, (frames, TOKEN_WIDTH)) for word in WORDS}, 16.0)


def test_its_facts(wan: WanBackbone) -> None:
    spec = wan.spec
    assert (spec.family, spec.latent_channels, spec.space, spec.time) == ("Wan", CHANNELS, 8, 4)
    assert (spec.first_alone, spec.size_multiple, spec.latent_format) == (True, 16, "Wan21")
    assert (spec.audio, spec.token_width) == ("frame_attention", None)
    assert wan.block_stack == (LAYERS, HEADS * HEAD_DIM, TEXT_WIDTH)
    assert spec.grid(81, 832, 480) == Grid(16, 21, 60, 104)
    assert wan.shift == SHIFT
    with pytest.raises(A2VError, match=r"num_frames is 80: Wan makes videos of 4n\+1 frames, such as 81"):
        spec.grid(80, 832, 480)


@torch.no_grad()
def test_it_equals_the_pipeline_of_diffusers(folder: Path, wan: WanBackbone) -> None:
    from diffusers import WanPipeline

    pipeline = WanPipeline.from_pretrained(str(folder), local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    grid = SETTINGS.grid(wan.spec)
    noise = torch.randn(grid.shape, generator=torch.Generator().manual_seed(6))
    expected = pipeline(
        PROMPT,
        "a dog",
        height=SIDE,
        width=SIDE,
        num_frames=FRAMES,
        num_inference_steps=3,
        guidance_scale=4.0,
        latents=noise,
        output_type="pt",
        max_sequence_length=512,
    ).frames[0]
    video = VideoPipeline(wan).generate(VideoRequest(PROMPT, None, "a dog", settings=SETTINGS))
    assert video.frames.shape == (FRAMES, SIDE, SIDE, 3)
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


def test_audio_words_are_left_out_of_the_text_and_the_log_says_so_once(
    wan: WanBackbone, caplog: pytest.LogCaptureFixture
) -> None:
    say_that_words_go.cache_clear()
    with caplog.at_level("INFO"):
        for prompt in ("a video of <temp> <Local1> <class>, a red ball", "a video of <temp>, a red ball"):
            found = wan.encode_prompt(prompt, None, FRAMES)
            assert torch.equal(found.states, wan.encode_prompt("a video, a red ball", None, FRAMES).states)
    assert caplog.text.count("audio words in prompts are left out") == 1


def test_only_the_prompt_has_sound(wan: WanBackbone) -> None:
    """Guidance leads away from no sound, whatever words the texts have."""
    wan.adapter = adapter()
    settings = SampleSettings(2, 4.0, "unipc", width=SIDE, height=SIDE, num_frames=FRAMES, sound_guidance=2.0)
    request = VideoRequest("a video of <temp> <local9>", tokens_of(FRAMES), "a <class>", settings=settings)
    prompt, negative, text = VideoPipeline(wan).encode(request)
    assert negative is not None
    assert text is not None
    assert prompt.audio is not None
    assert negative.audio is None
    assert text.audio is None
    other = AudioTokens({word: -rows for word, rows in tokens_of(FRAMES).words.items()}, 16.0)
    _, negative, _ = VideoPipeline(wan).encode(replace(request, negative_prompt="", negative_tokens=other))
    assert negative is not None
    assert negative.audio is not None
    assert not torch.equal(negative.audio, prompt.audio)


def test_captions_that_are_encoded_already(wan: WanBackbone) -> None:
    adapted = require(wan, AudioAdapted, "a test")
    adapted.use_adapter(adapter())
    words = {word: rows[None].expand(2, -1, -1) for word, rows in tokens_of(FRAMES).words.items()}
    states = adapted.encode_captions([PROMPT, "a dog"])
    assert states.shape == (2, 512, TEXT_WIDTH)
    gate = torch.tensor([[1.0], [0.0]])
    context, both = adapted.context_of(states, words, gate), wan.encode_texts([PROMPT, "a dog"], words)
    assert torch.equal(context.states, both.states)
    assert context.audio is not None
    assert both.audio is not None
    assert torch.equal(context.audio, both.audio)
    assert context.gate is not None
    assert torch.equal(context.gate, gate)
    with pytest.raises(A2VError, match="its width is 64, that of the connected model 48"):
        adapted.use_adapter(adapter(width=64))


def predict(wan: WanBackbone, *contexts: Any) -> Tensor:
    x = torch.randn(SETTINGS.grid(wan.spec).shape, generator=torch.Generator().manual_seed(1))
    return wan.denoise(x, torch.tensor(500.0), ContextBatch.of(contexts))


@torch.no_grad()
def test_sound_moves_what_has_sound_and_nothing_else(wan: WanBackbone) -> None:
    plain = wan.encode_prompt(PROMPT, None, FRAMES)
    base = predict(wan, plain, plain)
    wan.adapter = adapter()
    heard = wan.encode_prompt(PROMPT, tokens_of(FRAMES), FRAMES)
    assert heard.audio is not None
    assert heard.audio.shape == (3, 8, TOKEN_WIDTH)
    found = predict(wan, plain, heard)
    assert torch.equal(found[0], base[0])
    assert float((found[1] - base[1]).abs().max()) > 0.01
    assert torch.equal(predict(wan, plain, plain), base)


def test_a_video_with_sound_can_be_resumed(wan: WanBackbone, tmp_path: Path) -> None:
    wan.adapter = adapter()
    long = LongSettings("model", window=FRAMES)
    settings = SampleSettings(2, 4.0, seed=1, width=SIDE, height=SIDE)
    request = VideoRequest(PROMPT, tokens_of(17), settings=settings, long=long)
    pipeline = VideoPipeline(wan)
    latents = pipeline.sample(request, pipeline.encode(request))
    assert latents.shape == (1, CHANNELS, 5, 4, 4)
    silent = pipeline.sample(
        request,
        pipeline.encode(
            VideoRequest(
                PROMPT,
                settings=SampleSettings(2, 4.0, seed=1, width=SIDE, height=SIDE, num_frames=17),
                long=long,
            )
        ),
    )
    assert float((latents - silent).abs().max()) > 0.01
    for _ in range(2):
        kept = Progress(tmp_path)
        assert torch.equal(pipeline.sample(request, pipeline.encode(request), progress=kept), latents)
    assert len(list(tmp_path.iterdir())) == 1


def test_gradients_reach_words_and_adapter(wan: WanBackbone) -> None:
    wan.adapter = adapter().requires_grad_(True)
    words = {word: rows[None].requires_grad_() for word, rows in tokens_of(FRAMES).words.items()}
    context = wan.encode_texts([PROMPT], words)
    x = torch.randn(SETTINGS.grid(wan.spec).shape)
    undo = wan.recompute_activations()
    wan.denoise(x, torch.tensor([500.0]), context).square().mean().backward()
    undo()
    assert all(float(rows.grad.abs().max()) > 0 for rows in words.values() if rows.grad is not None)
    assert all(rows.grad is not None for rows in words.values())
    assert wan.adapter.attention["2"].out.weight.grad is not None  # type: ignore[union-attr]
    assert all(p.grad is None for p in wan.denoisers[0].parameters())


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


def test_what_cannot_be_is_named(wan: WanBackbone, folder: Path) -> None:
    with pytest.raises(A2VError, match="no audio adapter for this model"):
        wan.encode_prompt(PROMPT, tokens_of(FRAMES), FRAMES)
    wan.adapter = adapter()
    with pytest.raises(A2VError, match="audio tokens are for 5 frames, but 9 frames"):
        wan.encode_prompt(PROMPT, tokens_of(5), FRAMES)
    with pytest.raises(A2VError, match="its width is 64, that of the connected model 48"):
        WanBackbone(wan.denoisers, None, None, None, wan.spec, adapter=adapter(width=64))
    with pytest.raises(A2VError, match="cannot be stored in fp8"):
        load_t2v(folder, "fp8")


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
