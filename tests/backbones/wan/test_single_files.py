"""Wan from single files in the published layout, and its two kinds of text encoder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from a2v_core.backbones import load_t2v
from a2v_core.backbones.wan import WanBackbone, WanFiles, core_transformer, core_vae, load_wan_files
from a2v_core.checkpoints import read_checkpoint, write_safetensors
from a2v_core.demo import demo_path
from a2v_core.errors import A2VError, CheckpointError
from a2v_core.prompts import ContextBatch
from tests.tiny_wan import CHANNELS, SHIFT, TEXT_WIDTH, make_tiny_wan

PROMPT, FRAMES = "a red ball bouncing", 9


def one_head() -> Any:
    """A WanTransformer3DModel with the one head that a narrow model has in ComfyUI."""
    from diffusers import WanTransformer3DModel

    torch.manual_seed(3)
    return WanTransformer3DModel(
        num_attention_heads=1,
        attention_head_dim=36,
        text_dim=TEXT_WIDTH,
        freq_dim=16,
        ffn_dim=40,
        num_layers=2,
        rope_max_seq_len=64,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in the diffusers layout whose VAE has the depth of the published one."""
    from diffusers import AutoencoderKLWan

    folder = make_tiny_wan(tmp_path_factory.mktemp("wan") / "wan")
    one_head().save_pretrained(folder / "transformer")
    AutoencoderKLWan(base_dim=4, z_dim=CHANNELS).save_pretrained(folder / "vae")
    return folder


@pytest.fixture(scope="module")
def files(folder: Path) -> WanFiles:
    """The same in single files."""
    found = WanFiles(folder.parent / "wan.safetensors", folder.parent / "vae.safetensors", folder)
    name = "diffusion_pytorch_model.safetensors"
    transformer = core_transformer(read_checkpoint(folder / "transformer" / name).tensors)
    write_safetensors(found.transformer, transformer, {})
    write_safetensors(found.vae, core_vae(read_checkpoint(folder / "vae" / name).tensors), {})
    return found


def denoised(wan: WanBackbone) -> torch.Tensor:
    x = torch.randn(1, CHANNELS, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    context = ContextBatch.of([wan.encode_prompt(PROMPT, None, FRAMES)])
    return wan.denoise(x, torch.tensor(500.0), context)


@torch.no_grad()
def test_single_files_equal_the_diffusers_folder(folder: Path, files: WanFiles) -> None:
    whole, single = load_t2v(folder), load_wan_files(files, shift=SHIFT)
    assert isinstance(whole, WanBackbone)
    assert single.spec == whole.spec
    assert (single.shift, load_wan_files(files).shift) == (whole.shift, 8.0)
    assert torch.equal(denoised(single), denoised(whole))
    assert float(denoised(single).std()) > 0.01
    latents = torch.randn(1, CHANNELS, 2, 4, 4)
    for one, other in zip(single.decode(latents), whole.decode(latents), strict=True):
        assert torch.equal(one, other)
    frames = torch.rand(5, 32, 32, 3)
    assert torch.equal(single.encode(frames), whole.encode(frames))


def test_a_checkpoint_of_comfyui_has_a_prefix(files: WanFiles, tmp_path: Path) -> None:
    tensors = read_checkpoint(files.transformer).tensors
    path = tmp_path / "prefixed.safetensors"
    write_safetensors(path, {f"model.diffusion_model.{name}": value for name, value in tensors.items()}, {})
    prefixed = load_wan_files(files._replace(transformer=path), parts=["denoiser"])
    plain = load_wan_files(files, parts=["denoiser"])
    own = plain.denoisers[0].state_dict()
    assert all(torch.equal(value, own[name]) for name, value in prefixed.denoisers[0].state_dict().items())


def test_parts_and_precision(files: WanFiles) -> None:
    assert list(load_wan_files(files, parts=["vae"]).parts()) == ["vae"]
    wan = load_wan_files(files, "bf16", parts=["denoiser"])
    dtypes = {name: p.dtype for name, p in wan.denoisers[0].named_parameters()}
    assert dtypes["blocks.0.attn1.to_q.weight"] == torch.bfloat16
    assert dtypes["scale_shift_table"] == torch.float32
    small = dict(load_wan_files(files, "fp8", parts=["denoiser"]).denoisers[0].named_parameters())
    assert small["blocks.0.attn1.to_q.weight"].dtype == torch.float8_e4m3fn
    assert small["scale_shift_table"].dtype == torch.float32
    with pytest.raises(A2VError, match="cannot be loaded in 'fp64': choose one of fp32"):
        load_wan_files(files, "fp64")


def test_wrong_files_are_named(files: WanFiles, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"vae\.safetensors: is not a transformer of Wan 2\.1"):
        load_wan_files(files._replace(transformer=files.vae))
    with pytest.raises(CheckpointError, match=r"wan\.safetensors: is not a VAE of Wan 2\.1"):
        load_wan_files(files._replace(vae=files.transformer))
    tensors = read_checkpoint(files.transformer).tensors
    del tensors["blocks.1.cross_attn.k.weight"]
    write_safetensors(tmp_path / "part.safetensors", tensors, {})
    with pytest.raises(CheckpointError, match=r"part\.safetensors: .*blocks\.1\.attn2\.to_k\.weight"):
        load_wan_files(files._replace(transformer=tmp_path / "part.safetensors"))


@torch.no_grad()
def test_a_clip_in_the_place_of_umt5_is_padded_with_zeros(folder: Path, tmp_path: Path) -> None:
    from diffusers import WanTransformer3DModel
    from transformers import CLIPTextModel, CLIPTokenizer

    shutil.copytree(folder, tmp_path / "wan")
    for part in ("text_encoder", "tokenizer"):
        shutil.rmtree(tmp_path / "wan" / part)
        shutil.copytree(demo_path("t2v") / part, tmp_path / "wan" / part)
    config = dict(WanTransformer3DModel.load_config(folder / "transformer")) | {"text_dim": 160}
    WanTransformer3DModel.from_config(config).save_pretrained(tmp_path / "wan" / "transformer")
    wan = load_t2v(tmp_path / "wan")
    states = wan.encode_prompt("a video of a red ball", None, FRAMES).states
    assert states.shape == (1, 32, 160)
    tokens = CLIPTokenizer.from_pretrained(demo_path("t2v") / "tokenizer")(
        "a video of a red ball", return_tensors="pt"
    )
    encoder = CLIPTextModel.from_pretrained(demo_path("t2v") / "text_encoder").float()
    expected = encoder(tokens.input_ids).last_hidden_state
    torch.testing.assert_close(states[:, :8, :128], expected, atol=1e-5, rtol=0)
    assert float(states[:, 8:].abs().max()) == 0
    assert float(states[..., 128:].abs().max()) == 0
