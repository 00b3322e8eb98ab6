"""BEATs model files: the published layout, safetensors, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from a2v_core.audio import BEATs, load_beats, save_beats
from a2v_core.errors import CheckpointError
from tests.audio.tiny import TINY_CFG

ROOT = Path(__file__).resolve().parents[3]
FBANK = torch.randn(2, 40, 128, generator=torch.Generator().manual_seed(0))
TABLE = "encoder.layers.{}.self_attn.relative_attention_bias.weight"


@pytest.fixture
def published(tmp_path: Path, tiny_model: BEATs) -> Path:
    """A file as the BEATs authors published them."""
    path = tmp_path / "BEATs.pt"
    torch.save({"cfg": TINY_CFG, "model": tiny_model.state_dict(), "label_dict": {0: "/m/09x0r"}}, path)
    return path


@torch.no_grad()
def assert_same_outputs(actual: BEATs, expected: BEATs, tolerance: float = 2e-6) -> None:
    for one, other in zip(actual(FBANK), expected(FBANK), strict=True):
        torch.testing.assert_close(one, other, atol=tolerance, rtol=0)


def test_published_file(published: Path, tiny_model: BEATs) -> None:
    model = load_beats(published)
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())
    assert_same_outputs(model, tiny_model)
    assert model.predictor is not None
    assert model.predictor.out_features == 5


def test_loaded_layers_still_share_one_table(published: Path) -> None:
    attention: list[Any] = [layer.self_attn for layer in load_beats(published).encoder.layers]
    assert len({id(one.relative_attention_bias.weight) for one in attention}) == 1


def test_save_and_load(tmp_path: Path, tiny_model: BEATs) -> None:
    path = tmp_path / "beats.safetensors"
    save_beats(path, tiny_model)
    assert load_file(path).keys() == tiny_model.state_dict().keys()
    model = load_beats(path)
    assert model.config == tiny_model.config
    assert_same_outputs(model, tiny_model)


def test_half_precision_file_is_widened(tmp_path: Path, tiny_model: BEATs) -> None:
    path = tmp_path / "half.pt"
    half = {key: value.half() for key, value in tiny_model.state_dict().items()}
    torch.save({"cfg": TINY_CFG, "model": half}, path)
    model = load_beats(path)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert_same_outputs(model, tiny_model, tolerance=2e-2)


def test_one_copy_of_the_shared_table_is_enough(tmp_path: Path, tiny_model: BEATs) -> None:
    tensors = tiny_model.state_dict()
    for layer in (1, 2):
        del tensors[TABLE.format(layer)]
    torch.save({"cfg": TINY_CFG, "model": tensors}, tmp_path / "one.pt")
    assert_same_outputs(load_beats(tmp_path / "one.pt"), tiny_model)


def test_copies_that_differ_are_refused(tmp_path: Path, tiny_model: BEATs) -> None:
    tensors = tiny_model.state_dict()
    tensors[TABLE.format(2)] = tensors[TABLE.format(2)] + 1
    torch.save({"cfg": TINY_CFG, "model": tensors}, tmp_path / "two.pt")
    with pytest.raises(CheckpointError, match=r"layers\.2.*one table for all layers"):
        load_beats(tmp_path / "two.pt")


def broken(tensors: dict[str, Tensor], how: str) -> dict[str, Tensor]:
    if how == "missing":
        del tensors["post_extract_proj.bias"]
    elif how == "unexpected":
        tensors["quantizer.weight"] = torch.zeros(2)
    elif how == "shape":
        tensors["layer_norm.weight"] = torch.zeros(7)
    return tensors


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("missing", r"1 missing: post_extract_proj\.bias"),
        ("unexpected", r"1 unexpected: quantizer\.weight"),
        ("shape", r"layer_norm\.weight is \[7\], expected \[24\]"),
    ],
)
def test_keys_and_shapes_must_fit(tmp_path: Path, tiny_model: BEATs, how: str, says: str) -> None:
    path = tmp_path / "broken.pt"
    torch.save({"cfg": TINY_CFG, "model": broken(tiny_model.state_dict(), how)}, path)
    with pytest.raises(CheckpointError, match=says):
        load_beats(path)


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        ({"fc1.weight": torch.zeros(2, 2), "fga.un_models.0.embed.weight": torch.zeros(2)}, "AudioMapper"),
        ({"down_blocks.0.x": torch.zeros(2), "time_embedding.linear_1.weight": torch.zeros(2)}, "UNet"),
        ({"something": torch.zeros(2)}, "no model that this pack knows"),
    ],
)
def test_another_model_is_named(tmp_path: Path, tensors: dict[str, Tensor], says: str) -> None:
    path = tmp_path / "other.safetensors"
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match=says):
        load_beats(path)


def test_weights_without_their_cfg(tmp_path: Path, tiny_model: BEATs) -> None:
    torch.save(tiny_model.state_dict(), tmp_path / "bare.pt")
    with pytest.raises(CheckpointError, match="not the cfg"):
        load_beats(tmp_path / "bare.pt")


def test_cfg_that_is_not_json(tmp_path: Path, tiny_model: BEATs) -> None:
    path = tmp_path / "bad.safetensors"
    tensors = {key: value.clone() for key, value in tiny_model.state_dict().items()}
    save_file(tensors, path, metadata={"cfg": "{"})
    with pytest.raises(CheckpointError, match="not JSON"):
        load_beats(path)
