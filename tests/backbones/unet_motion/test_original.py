"""AnimateDiff of two files: a checkpoint of Stable Diffusion 1.5 and published motion modules."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from a2v_core.backbones import Part, is_of_files, load_t2v
from a2v_core.backbones.unet_motion import UNetMotionBackbone
from a2v_core.backbones.unet_motion.original import find_tokenizer, original_of
from a2v_core.comfyui import clip_tokenizer, find_comfyui
from a2v_core.errors import CheckpointError
from a2v_core.models import identify
from a2v_core.pipeline import VideoPipeline, VideoRequest
from a2v_core.places import ALL_IN_ONE, MOTION_ADAPTER, T2V_FOLDER
from a2v_core.sampling import SampleSettings
from tests.tiny_original import POSITIONS, SIZES_OF_CLIP, TEXT_WIDTH, checkpoint, make_twins, networks

CHECKPOINT, MOTION = "any name.safetensors", "mm_sd_v15_v2.ckpt"


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_twins(tmp_path_factory.mktemp("original"))


def loaded(folder: Path, *args: Any) -> UNetMotionBackbone:
    made = load_t2v(folder, *args)
    assert isinstance(made, UNetMotionBackbone)
    return made


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "fp8"])
def test_it_is_what_the_folder_holds(twins: tuple[Path, Path], dtype: str) -> None:
    folder, files = (loaded(path, dtype) for path in twins)
    for part in ("unet", "vae", "text_encoder"):
        one, two = (getattr(model, part).state_dict() for model in (folder, files))
        assert list(one) == list(two)
        assert all(
            torch.equal(value, two[key]) and value.dtype == two[key].dtype for key, value in one.items()
        )
    assert files.spec == replace(folder.spec, native_size=(512, 512))
    assert files.unet.config.motion_max_seq_length == POSITIONS


def test_a_video_is_the_same(twins: tuple[Path, Path]) -> None:
    request = VideoRequest(
        "a ball on the sea", None, "fog", settings=SampleSettings(2, 3.0, "ddim", 3, 32, 32, 4)
    )
    one, two = (VideoPipeline(loaded(path)).generate(request).frames for path in twins)
    assert torch.equal(one, two)
    assert float(one.std()) > 0.01


def test_parts_alone(twins: tuple[Path, Path]) -> None:
    combinations: list[tuple[Part, ...]] = [("text", "denoiser"), ("vae",)]
    for parts in combinations:
        assert tuple(loaded(twins[1], "fp32", parts).parts()) == parts


def test_the_sizes_of_stable_diffusion() -> None:
    """Without memory for weights: names and settings of the published checkpoint."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768)
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
        )
        text = CLIPTextModel(CLIPTextConfig(**SIZES_OF_CLIP))
        tensors = checkpoint(unet, vae, text)
    assert (len(unet.state_dict()), len(vae.state_dict())) == (686, 248)
    known = {
        "model.diffusion_model.input_blocks.8.1.transformer_blocks.0.attn2.to_k.weight": (1280, 768),
        "model.diffusion_model.input_blocks.9.0.op.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.5.2.conv.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.2.1.conv.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.11.0.skip_connection.weight": (320, 640, 1, 1),
        "first_stage_model.decoder.mid.attn_1.q.weight": (512, 512, 1, 1),
        "first_stage_model.decoder.up.3.upsample.conv.weight": (512, 512, 3, 3),
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": (49408, 768),
    }
    assert {key: tuple(tensors[key].shape) for key in known} == known
    found = original_of(Path("sd15.safetensors"), tensors)
    for made, expected in ((found.unet, unet), (found.vae, vae), (found.text_encoder, text)):
        one, two = made.state_dict(), expected.state_dict()
        assert {key: value.shape for key, value in one.items()} == {k: v.shape for k, v in two.items()}
    assert set(found.unet_weights()) == set(unet.state_dict())
    assert set(found.vae_weights()) == set(vae.state_dict())
    for name in ("attention_head_dim", "norm_num_groups", "block_out_channels", "up_block_types"):
        assert found.unet.config[name] == unet.config[name]
    assert found.vae.config.scaling_factor == 0.18215
    assert (found.text_encoder.config.num_attention_heads, found.text_encoder.config.hidden_act) == (
        12,
        "quick_gelu",
    )


def test_the_tokenizer_of_comfyui(twins: tuple[Path, Path], tmp_path: Path) -> None:
    """Where the folder has none; the text encoder has to have its words."""
    comfy = clip_tokenizer(find_comfyui())
    parts = dict(zip(("unet", "vae", "text_encoder"), networks(49408), strict=True))
    save_file(checkpoint(**parts), tmp_path / "sd15.safetensors")
    shutil.copy(twins[1] / MOTION, tmp_path)
    for given in (None, comfy):
        model = load_t2v(tmp_path, "fp32", ["text"], given)
        assert isinstance(model, UNetMotionBackbone)
        assert model.tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
        assert model.tokenizer.pad_token_id == 49407
        assert model.encode_prompt("a cat", None, 2).states.shape == (1, 77, TEXT_WIDTH)


def test_which_tokenizer(twins: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_tokenizer(twins[1], tmp_path) == twins[1] / "tokenizer"
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(twins[1] / "tokenizer" / name, tmp_path)
    assert find_tokenizer(tmp_path, None) == tmp_path
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path / "gone"))
    (tmp_path / "vocab.json").unlink()
    with pytest.raises(CheckpointError, match=r"holds no tokenizer, .*comfy/sd1_tokenizer"):
        find_tokenizer(tmp_path, None)


def test_it_is_identified(twins: tuple[Path, Path], tmp_path: Path) -> None:
    files = twins[1]
    assert is_of_files(files)
    assert not is_of_files(twins[0])
    assert not is_of_files(twins[0] / "unet")
    found = identify(files)
    assert (found.kind, found.belongs) == (T2V_FOLDER, "in models/a2v_t2v, for Load T2V Model")
    assert (found.facts[CHECKPOINT], found.facts[MOTION]) == (ALL_IN_ONE, MOTION_ADAPTER)
    assert "beside a file of motion modules" in identify(files / CHECKPOINT).belongs
    for name in ("one.ckpt", "two.ckpt"):
        shutil.copy(files / MOTION, tmp_path / name)
    assert identify(tmp_path).kind != T2V_FOLDER


def without(*keys: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / CHECKPOINT
        save_file({k: v for k, v in load_file(path).items() if not k.startswith(keys)}, path)

    return change


def more(key: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / CHECKPOINT
        save_file({**load_file(path), key: torch.zeros(2)}, path)

    return change


def another(folder: Path) -> None:
    shutil.copy(folder / MOTION, folder / "v3_sd15_mm.ckpt")


def stranger(folder: Path) -> None:
    save_file({"x": torch.zeros(1)}, folder / "x.safetensors")


UNET = "model.diffusion_model."


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (another, r"'motion adapter': mm_sd_v15_v2\.ckpt, v3_sd15_mm\.ckpt; expected in model a checkpoint"),
        (stranger, r"x\.safetensors: is a file of the kind: unknown; expected in model a checkpoint of"),
        (without("cond_stage_model."), r"has no CLIP text encoder of Stable Diffusion 1\.x"),
        (without("first_stage_model."), r"has no VAE of Stable Diffusion 1\.x"),
        (
            without(UNET + "out.0.bias"),
            r"UNet for pictures weights, .*1 missing: conv_norm_out\.bias",
        ),
        (
            without(UNET + "input_blocks.2.0.op.bias"),
            r"1 missing: down_blocks\.0\.downsamplers\.0\.conv\.b",
        ),
        (without(UNET + "middle_block.1"), r"does not describe a model"),
        (without(UNET + "output_blocks.1.1.conv.bias"), r"is damaged, .*output_blocks\.1\.1\.conv\.bias"),
        (more(UNET + "label_emb.0.0.weight"), r"1 of \d+ weights are of no network of Stable Diffusion"),
        (more("first_stage_model.encoder.x"), r"1 of \d+ weights are of no network of Stable Diffusion"),
        (more("cond_stage_model.transformer.text_model.x"), r"CLIP text encoder weights, .*1 unexpected: x"),
        (without("first_stage_model.encoder.down.0.block.0.norm1.bias"), r"VAE weights.*1 missing: encoder"),
    ],
)
def test_what_is_wrong_is_named(
    twins: tuple[Path, Path], tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    folder = shutil.copytree(twins[1], tmp_path / "model")
    damage(folder)
    with pytest.raises(CheckpointError, match=message):
        load_t2v(folder)
