"""AudioMapper files: what is read from a plain state dict, what travels in safetensors, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from a2v_core.errors import A2VError, CheckpointError
from a2v_core.tokens import AudioMapper, MapperConfig, export_learned_embeds, load_mapper, save_mapper
from a2v_core.tokens.files import CONFIG_KEY
from tests.tokens.tiny import sound_of, tiny_config, tiny_mapper


def assert_same(first: AudioMapper, second: AudioMapper) -> None:
    assert first.config == second.config
    features = sound_of(2.0)
    expected = first.pool(first.frame_tokens(features, 0, 12.0)).words
    for word, tokens in second.pool(second.frame_tokens(features, 0, 12.0)).words.items():
        torch.testing.assert_close(tokens, expected[word], atol=0, rtol=0)


@pytest.fixture
def weights() -> dict[str, Tensor]:
    return {key: value.clone() for key, value in tiny_mapper().state_dict().items()}


def test_safetensors_carry_every_field(tmp_path: Path) -> None:
    config = MapperConfig(
        input_size=12,
        hidden_size=10,
        output_size=8,
        layout="time_aligned",
        windows=(1, 3),
        depth=3,
        words=("temp", "class"),
        layers=(0, 1),
        base_model="demo",
        facts={"conditioning_dropout": 0.1, "data": ["a", "b"]},
    )
    mapper = AudioMapper(config).eval()
    save_mapper(tmp_path / "m.safetensors", mapper)
    loaded = load_mapper(tmp_path / "m.safetensors")
    assert loaded.config == config
    assert_same(mapper, loaded)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_plain_state_dict_is_a_published_mapper(
    tmp_path: Path, weights: dict[str, Tensor], prefix: str
) -> None:
    torch.save({prefix + key: value for key, value in weights.items()}, tmp_path / "learned_embeds.pth")
    loaded = load_mapper(tmp_path / "learned_embeds.pth")
    assert loaded.config == tiny_config("reference")
    assert not loaded.training
    assert_same(tiny_mapper("reference"), loaded)


def test_safetensors_without_config_are_a_published_mapper(
    tmp_path: Path, weights: dict[str, Tensor]
) -> None:
    save_file(weights, tmp_path / "m.safetensors")
    assert_same(tiny_mapper("reference"), load_mapper(tmp_path / "m.safetensors"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(
    tmp_path: Path, weights: dict[str, Tensor], dtype: torch.dtype
) -> None:
    torch.save({key: value.to(dtype) for key, value in weights.items()}, tmp_path / "m.pth")
    loaded = load_mapper(tmp_path / "m.pth")
    for key, value in loaded.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, weights[key].to(dtype).float(), atol=0, rtol=0)


def test_a_loaded_mapper_can_be_trained(tmp_path: Path) -> None:
    save_mapper(tmp_path / "m.safetensors", tiny_mapper())
    loaded = load_mapper(tmp_path / "m.safetensors")
    assert all(value.requires_grad and not value.is_meta for value in loaded.parameters())
    assert (tmp_path / "m.safetensors").stat().st_size < 20_000


def test_export_gives_back_the_plain_state_dict(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    mapper = tiny_mapper("reference")
    mapper.config = replace(mapper.config, base_model="zeroscope", facts={"steps": 3})
    export_learned_embeds(tmp_path / "out.pth", mapper)
    exported = torch.load(tmp_path / "out.pth", weights_only=True)
    assert list(exported) == list(weights)
    assert all(torch.equal(exported[key], weights[key]) for key in weights)
    assert [path.name for path in tmp_path.iterdir()] == ["out.pth"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"layout": "time_aligned"}, "layout time_aligned"),
        ({"windows": (1, 2, 4, 16)}, r"windows \(1, 2, 4, 16\)"),
        ({"words": ("temp",)}, "words"),
        ({"layers": (0, 1)}, "layers"),
    ],
)
def test_export_refuses_what_a_plain_file_cannot_say(
    tmp_path: Path, changes: dict[str, object], says: str
) -> None:
    values = {name: getattr(tiny_config(), name) for name in ("input_size", "hidden_size", "output_size")}
    with pytest.raises(A2VError, match=rf"cannot carry this mapper's {says}.*write safetensors"):
        export_learned_embeds(tmp_path / "out.pth", AudioMapper(MapperConfig(**(values | changes))))
    assert list(tmp_path.iterdir()) == []


def test_missing_and_extra_keys_are_named(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    del weights["fc3.bias"]
    weights["fga.extra"] = torch.zeros(1)
    torch.save(weights, tmp_path / "m.pth")
    with pytest.raises(CheckpointError, match=r"m\.pth: .*1 missing: fc3\.bias; 1 unexpected: fga\.extra"):
        load_mapper(tmp_path / "m.pth")


def test_wrong_widths_are_named(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    weights["fc4.weight"] = torch.zeros(6, 8)
    torch.save(weights, tmp_path / "m.pth")
    with pytest.raises(CheckpointError, match=r"fc4\.bias is \[8\], expected \[6\]"):
        load_mapper(tmp_path / "m.pth")


def test_weights_that_contradict_the_config_are_named(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    metadata = {CONFIG_KEY: replace(tiny_config(), input_size=18).to_json()}
    save_file(weights, tmp_path / "m.safetensors", metadata)
    with pytest.raises(CheckpointError, match=r"fc1\.weight is \[10, 12\], expected \[10, 18\]"):
        load_mapper(tmp_path / "m.safetensors")


def test_a_unet_is_sent_to_its_own_folder(tmp_path: Path) -> None:
    unet = {
        "down_blocks.0.resnets.0.conv1.weight": torch.zeros(1),
        "time_embedding.linear_1.weight": torch.zeros(1),
    }
    save_file(unet, tmp_path / "unet.safetensors")
    with pytest.raises(CheckpointError, match=r"unet\.safetensors: .*looks like a UNet.*Load T2V Model"):
        load_mapper(tmp_path / "unet.safetensors")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "broken JSON"),
        ("[]", "expected a JSON object"),
        ('{"layout": "sideways"}', "layout is one of reference, time_aligned"),
        ('{"input_size": 0}', "are positive"),
        ('{"input_size": "big"}', "are positive"),
        ('{"depth": 1}', "depth is at least 2"),
        ('{"windows": [0]}', "windows are positive"),
        ('{"windows": 3}', "wrong type"),
        ('{"words": ["drum"]}', "words are among temp"),
        ('{"layers": [-1]}', "layers are counted from 0"),
        ('{"colour": 1}', "unknown colour; update this pack"),
    ],
)
def test_a_broken_config_is_named(tmp_path: Path, weights: dict[str, Tensor], text: str, says: str) -> None:
    save_file(weights, tmp_path / "m.safetensors", {CONFIG_KEY: text})
    with pytest.raises(CheckpointError, match=rf"m\.safetensors: AudioMapper config: .*{says}"):
        load_mapper(tmp_path / "m.safetensors")


def test_the_config_is_readable_json_in_the_header(tmp_path: Path) -> None:
    save_mapper(tmp_path / "m.safetensors", tiny_mapper("time_aligned"))
    with safe_open(tmp_path / "m.safetensors", framework="pt") as file:
        values = json.loads(file.metadata()[CONFIG_KEY])
    assert values["layout"] == "time_aligned"
    assert values["windows"] == [1, 2, 4, 8]
    assert values["words"] == ["temp", "local1", "local2", "local3", "local4", "class"]
