"""What files are: every kind that this pack knows, some that it does not, and files that are broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from a2v_core.demo import demo_path
from a2v_core.errors import CheckpointError
from a2v_core.models import format_size, identify
from a2v_core.models.__main__ import main
from a2v_core.places import belongs
from a2v_core.tokens import load_mapper
from tests.golden_recipe import GOLDEN, fill_module
from tests.tokens.tiny import tiny_mapper


def test_a_published_beats_file(beats_file: Path) -> None:
    found = identify(beats_file)
    assert (found.kind, found.belongs) == ("BEATs encoder", "in models/audio_encoders, for Load BEATs")
    facts = found.facts
    assert (facts["layers"], facts["width"], facts["heads"], facts["classes"]) == (3, 32, 4, 5)
    assert (facts["dtype"], facts["bytes"]) == ("float32", beats_file.stat().st_size)


def test_a_published_mapper(mapper_file: Path) -> None:
    found = identify(mapper_file)
    assert found.kind == "AudioMapper"
    assert found.belongs == "in models/a2v_mappers, for Load AudioMapper"
    assert found.facts["layout"] == "reference"
    assert found.facts["words"] == ["temp", "local1", "local2", "local3", "local4", "class"]


def test_the_published_mapper_at_its_size(tmp_path: Path) -> None:
    layout = json.loads((GOLDEN / "mapper_official_layout.json").read_text())
    torch.save(fill_module(layout), tmp_path / "learned_embeds.pth")
    facts = identify(tmp_path / "learned_embeds.pth").facts
    assert (facts["input width"], facts["token width"], facts["linear layers"]) == (9216, 1024, 4)
    assert facts["base model"] == "cerspense/zeroscope_v2_576w"


@pytest.mark.parametrize(
    ("part", "kind", "facts"),
    [
        ("beats", "BEATs encoder", {"layers": 4, "classes": 6}),
        ("mapper", "AudioMapper", {"layout": "time_aligned", "base model": "demo"}),
        ("t2v", "text-to-video model (diffusers folder)", {"unet": "UNet3DConditionModel"}),
    ],
)  # fmt: skip
def test_the_bundled_models(part: str, kind: str, facts: dict[str, object]) -> None:
    found = identify(demo_path(part))
    assert found.kind == kind
    assert found.facts | facts == found.facts


@pytest.mark.parametrize(
    ("file", "kind", "facts", "folder"),
    [
        ("unet/diffusion_pytorch_model", "UNet", {"type": "3D (video)", "text width": 128}, "unet"),
        ("vae/diffusion_pytorch_model", "VAE", {"latent channels": 4}, "vae"),
        ("text_encoder/model", "CLIP text encoder", {"width": 128, "layers": 2}, "text_encoder"),
    ],
)
def test_the_parts_of_a_text_to_video_model(
    file: str, kind: str, facts: dict[str, object], folder: str
) -> None:
    found = identify(demo_path("t2v") / f"{file}.safetensors")
    assert found.kind == kind
    assert found.belongs.startswith(f"in the {folder} folder of a text-to-video model in models/a2v_t2v")
    assert found.facts | facts == found.facts


def zeros(*keys: str, shape: tuple[int, ...] = (2, 4)) -> dict[str, Tensor]:
    return {key: torch.zeros(shape) for key in keys}


@pytest.mark.parametrize(
    ("tensors", "kind", "says"),
    [
        (zeros("unet.down_blocks.0.lora_A.weight", "unet.x.lora_B.weight"), "LoRA", "models/loras"),
        (zeros("lora_unet_down_blocks_0.lora_up.weight"), "LoRA", "models/loras"),
        (
            zeros("feature_extractor.conv_layers.0.conv.weight"),
            "audio encoder other than BEATs",
            "core's AudioEncoderLoader",
        ),
        (zeros("model.encoder.conv1.weight"), "audio encoder other than BEATs", "needs BEATs"),
        (zeros("model.diffusion_model.x", "first_stage_model.y"), "checkpoint of several", "Load Checkpoint"),
        (zeros("input_blocks.0.0.weight", "time_embed.0.weight"), "UNet", "diffusers folder of a text"),
        (zeros("something.else"), "unknown", ""),
    ],
)
def test_strangers(tmp_path: Path, tensors: dict[str, Tensor], kind: str, says: str) -> None:
    save_file(tensors, tmp_path / "x.safetensors")
    found = identify(tmp_path / "x.safetensors")
    assert found.kind.startswith(kind)
    assert says in found.belongs
    assert bool(found.belongs) == bool(says)


def test_half_precision_and_missing_config(tmp_path: Path, beats_file: Path) -> None:
    state = torch.load(beats_file, weights_only=True)["model"]
    torch.save({key: value.half() for key, value in state.items()}, tmp_path / "bare.pt")
    facts = identify(tmp_path / "bare.pt").facts
    assert facts["dtype"] == "float16"
    assert "not the cfg" in facts["problem"]


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model_index\.json is missing"):
        identify(tmp_path)
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    found = identify(tmp_path)
    assert found.kind == "diffusers folder of another kind"
    assert found.facts["missing parts"] == ["unet", "vae", "text_encoder", "tokenizer", "scheduler"]


def test_the_command(beats_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    paths = [str(beats_file), str(tmp_path / "broken.safetensors"), str(demo_path("t2v"))]
    assert main(["identify", "--json", *paths]) == 3
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [line["kind"] for line in lines] == [
        "BEATs encoder", None, "text-to-video model (diffusers folder)"
    ]  # fmt: skip
    assert "truncated or corrupt" in lines[1]["error"]
    assert "truncated or corrupt" in printed.err
    assert "1 of 3 could not be done" in printed.err
    assert main(["identify", str(tmp_path / "broken.safetensors")]) == 1
    assert main(["identify", str(beats_file)]) == 0
    text = capsys.readouterr().out
    assert "BEATs.pt: BEATs encoder" in text
    assert "belongs          in models/audio_encoders, for Load BEATs" in text


def test_amounts() -> None:
    sizes = [None, 0, 999, 1000, 363_145_291, 5_600_000_000]
    assert [format_size(size) for size in sizes] == [
        "unknown size", "0 bytes", "999 bytes", "1 kB", "363 MB", "5.6 GB"
    ]  # fmt: skip


def low_rank(*pairs: tuple[str, str]) -> dict[str, Tensor]:
    return {key: torch.zeros(size) for down, up in pairs for key, size in ((down, (4, 32)), (up, (16, 4)))}


@pytest.mark.parametrize(
    ("layout", "pair"),
    [
        ("kohya", ("lora_unet_down_0_to_q.lora_down.weight", "lora_unet_down_0_to_q.lora_up.weight")),
        ("PEFT", ("base_model.model.x.lora_A.weight", "base_model.model.x.lora_B.weight")),
        ("PEFT", ("unet.x.lora_A.default.weight", "unet.x.lora_B.default.weight")),
        ("diffusers", ("unet.x.lora.down.weight", "unet.x.lora.up.weight")),
        ("diffusers", ("x.to_q.lora_down.weight", "x.to_q.lora_up.weight")),
        ("attention processors", ("x.processor.to_q_lora.down.weight", "x.processor.to_q_lora.up.weight")),
        ("LoHa", ("lora_unet_x.hada_w1_a", "lora_unet_x.hada_w1_b")),
    ],
)
def test_loras_in_every_layout(tmp_path: Path, layout: str, pair: tuple[str, str]) -> None:
    save_file(low_rank(pair), tmp_path / "x.safetensors")
    found = identify(tmp_path / "x.safetensors")
    assert (found.kind, found.belongs) == ("LoRA", belongs("LoRA"))
    assert "Load T2V Model (lora_name)" in found.belongs
    assert (found.facts["layout"], found.facts["rank"], found.facts["layers"]) == (layout, 4, 1)


def test_t2v_turbos_own_file(tmp_path: Path) -> None:
    """`unet_lora.pt` is a list of tensors: up, down, up, down ..."""
    torch.save([torch.zeros(16, 4), torch.zeros(4, 32)] * 3, tmp_path / "unet_lora.pt")
    found = identify(tmp_path / "unet_lora.pt")
    assert found.kind == "LoRA in T2V-Turbo's layout"
    assert found.belongs == "in models/loras, for Load T2V Model (lora_name)"
    assert (found.facts["layers"], found.facts["rank"]) == (3, 4)


def test_a_mapper_out_of_torch_compile(tmp_path: Path) -> None:
    compiled = cast(nn.Module, torch.compile(tiny_mapper()))
    torch.save(compiled.state_dict(), tmp_path / "x.pth")
    assert identify(tmp_path / "x.pth").kind == "AudioMapper"
    loaded = load_mapper(tmp_path / "x.pth").state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in tiny_mapper().state_dict().items())
