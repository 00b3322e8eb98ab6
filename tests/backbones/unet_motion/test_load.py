"""Folders of AnimateDiff: as its pipeline saves it, in two parts, and what can be wrong with them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from a2v_core.backbones import Part, load_t2v, networks
from a2v_core.backbones.unet_motion import UNetMotionBackbone, load_unet_motion
from a2v_core.errors import CheckpointError
from a2v_core.models import identify
from a2v_core.places import MOTION_ADAPTER, T2V_FOLDER, UNET
from a2v_core.prompts import ContextBatch
from tests.tiny_motion import LONGEST, filled, tiny_adapter
from tests.tiny_t2v import TEXT_WIDTH, write_json

WEIGHTS = "diffusion_pytorch_model.safetensors"


def predicted(backbone: UNetMotionBackbone) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 4, 3, 4, 4, generator=generator)
    texts = torch.randn(1, 3, 5, TEXT_WIDTH, generator=generator)
    with torch.no_grad():
        return backbone.denoise(x, torch.tensor(301), ContextBatch(texts)).float()


def test_what_the_pipeline_saves(motion_folder: Path) -> None:
    """A UNet with the motion modules in it, and the motion adapter once more beside it."""
    index = json.loads((motion_folder / "model_index.json").read_text())
    assert index["unet"] == ["diffusers", "UNetMotionModel"]
    assert index["motion_adapter"] == ["diffusers", "MotionAdapter"]
    own = load_file(motion_folder / "unet" / WEIGHTS)
    adapter = load_file(motion_folder / "motion_adapter" / WEIGHTS)
    assert set(adapter) == {key for key in own if ".motion_modules." in key}


def test_facts(motion_folder: Path) -> None:
    backbone = load_t2v(motion_folder)
    spec = backbone.spec
    assert isinstance(backbone, UNetMotionBackbone)
    assert (spec.family, spec.native_frames, spec.native_size) == ("AnimateDiff", 16, (64, 64))
    assert (spec.latent_channels, spec.space, spec.time, spec.token_width) == (4, 8, 1, TEXT_WIDTH)
    assert (spec.latent_format, spec.latent_scale) == ("SD15", 0.18215)
    assert all(not p.requires_grad for network in networks(backbone) for p in network.parameters())
    assert backbone.scheduler_config["beta_schedule"] == "linear"
    assert backbone.scheduler_config["steps_offset"] == 1


@torch.no_grad()
def test_weights_are_those_that_diffusers_loads(motion_folder: Path) -> None:
    from diffusers import UNetMotionModel

    unet = UNetMotionModel.from_pretrained(motion_folder / "unet", local_files_only=True)
    own = load_unet_motion(motion_folder).unet.state_dict()
    assert own.keys() == unet.state_dict().keys()
    assert all(torch.equal(own[key], value) for key, value in unet.state_dict().items())


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "fp8"])
def test_two_parts_are_the_same_model(motion_folder: Path, adapter_folder: Path, dtype: str) -> None:
    """With the noise that motion modules were trained on, whatever the model for pictures says."""
    whole, parts = (load_unet_motion(folder, dtype) for folder in (motion_folder, adapter_folder))
    assert whole.spec == parts.spec
    assert torch.equal(predicted(whole), predicted(parts))
    stored = json.loads((adapter_folder / "scheduler" / "scheduler_config.json").read_text())
    assert stored["beta_schedule"] == "scaled_linear"
    assert torch.equal(whole.schedule().alphas, parts.schedule().alphas)


def test_an_adapter_without_modules_in_the_middle(adapter_folder: Path, tmp_path: Path) -> None:
    """As the first and third version of AnimateDiff were published."""
    folder = shutil.copytree(adapter_folder, tmp_path / "model")
    shutil.rmtree(folder / "motion_adapter")
    filled(tiny_adapter(use_motion_mid_block=False)).save_pretrained(folder / "motion_adapter")
    backbone = load_unet_motion(folder)
    assert not hasattr(backbone.unet.mid_block, "motion_modules")
    assert predicted(backbone).isfinite().all()


@pytest.mark.parametrize(
    ("name", "dtype"), [("fp16", torch.float16), ("bf16", torch.bfloat16), ("fp8", torch.bfloat16)]
)
def test_dtypes(motion_folder: Path, name: str, dtype: torch.dtype) -> None:
    backbone = load_unet_motion(motion_folder, name)
    weights = dict(backbone.unet.named_parameters())
    in_8_bits = {key for key, weight in weights.items() if weight.dtype == torch.float8_e4m3fn}
    assert all(weight.dtype == dtype for key, weight in weights.items() if key not in in_8_bits)
    assert any("motion_modules" in key for key in in_8_bits) == (name == "fp8")
    table = backbone.unet.down_blocks[0].motion_modules[0].transformer_blocks[0].pos_embed.pe
    assert table.dtype == dtype
    if name != "fp16":  # which a CPU may lack
        exact = predicted(load_unet_motion(motion_folder))
        error = (predicted(backbone) - exact).norm() / exact.norm()
        assert 0 < error < (0.15 if name == "fp8" else 0.02)


def test_parts_alone(adapter_folder: Path) -> None:
    combinations: list[tuple[Part, ...]] = [("text", "denoiser"), ("vae",)]
    for parts in combinations:
        some = load_t2v(adapter_folder, parts=parts)
        assert tuple(some.parts()) == parts
        assert some.device == torch.device("cpu")


@pytest.mark.parametrize("form", ["motion_folder", "adapter_folder"])
def test_it_is_identified(request: pytest.FixtureRequest, form: str) -> None:
    folder = request.getfixturevalue(form)
    found = identify(folder)
    assert found.kind == T2V_FOLDER
    assert found.belongs == "in models/a2v_t2v, for Load T2V Model"
    assert (found.facts["pipeline"], found.facts["text width"]) == ("AnimateDiffPipeline", TEXT_WIDTH)
    adapter = identify(folder / "motion_adapter" / WEIGHTS)
    assert adapter.kind == MOTION_ADAPTER
    assert adapter.belongs.startswith("in the motion_adapter folder of a text-to-video model in models/")
    unet = identify(folder / "unet" / WEIGHTS)
    assert (unet.kind == UNET) == (form == "motion_folder")


def test_a_model_for_pictures_alone(adapter_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(adapter_folder, tmp_path / "model")
    shutil.rmtree(folder / "motion_adapter")
    assert identify(folder).kind != T2V_FOLDER
    with pytest.raises(CheckpointError, match=r"is a UNet2D.*, or give it a motion adapter in moti"):
        load_t2v(folder)


def edit(name: str, **changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name / "config.json"
        write_json(path, {**json.loads(path.read_text()), **changes})

    return change


def drop(name: str, key: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name / WEIGHTS
        save_file({k: value for k, value in load_file(path).items() if key not in k}, path)

    return change


def swap(folder: Path) -> None:
    shutil.copy(folder / "unet" / WEIGHTS, folder / "motion_adapter" / WEIGHTS)


def no_weights(folder: Path) -> None:
    (folder / "motion_adapter" / WEIGHTS).unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (edit("motion_adapter", _class_name="MyAdapter"), r"motion_adapter: is a MyAdapter, expected a Mo"),
        (edit("motion_adapter", block_out_channels=[8, 32]), r"UNet of \[8, 32\] channels, .*\[8, 16\]"),
        (edit("motion_adapter", motion_layers_per_block=2), r"motion_adapter.*does not describe a model"),
        (edit("motion_adapter", conv_in_channels=9), r"latent channels is 9 in unet but 4 in vae"),
        (edit("unet", cross_attention_dim=64), r"text width is 64 in unet but 32 in text_encoder"),
        (drop("motion_adapter", "mid_block"), r"expected motion adapter weights, but .* missing: mid_block"),
        (drop("unet", "conv_in.bias"), r"expected UNet for pictures weights, .*1 missing: conv_in\.bias"),
        (no_weights, r"motion_adapter: holds no weights; expected diffusion_pytorch_model\.safetensors"),
        (swap, r"motion_adapter.*expected motion adapter weights, but this file looks like a UNet for pict"),
    ],
)
def test_what_is_wrong_is_named(
    adapter_folder: Path, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    folder = shutil.copytree(adapter_folder, tmp_path / "model")
    damage(folder)
    with pytest.raises(CheckpointError, match=message):
        load_unet_motion(folder)


def test_motion_modules_must_be_there(motion_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(motion_folder, tmp_path / "model")
    drop("unet", "down_blocks.0.motion_modules.0.proj_in.bias")(folder)
    with pytest.raises(CheckpointError, match=r"1 missing: down_blocks\.0\.motion_modules\.0\.proj_in\.bias"):
        load_unet_motion(folder)
    assert load_unet_motion(motion_folder).unet.config.motion_max_seq_length == LONGEST
