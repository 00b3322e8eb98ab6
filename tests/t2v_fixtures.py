"""Real modules for tests: the golden UNet, and tiny text-to-video models of three families."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from a2v_core.backbones import load
from tests.golden_recipe import GOLDEN, fill_module
from tests.tiny_motion import make_tiny_adapter, make_tiny_motion
from tests.tiny_t2v import make_tiny_t2v, tiny_text_encoder
from tests.toy_dit import NAME, ToyBackbone, load_toy_dit, make_toy_dit


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Of all tests: numbers then do not depend on how many processors the machine has."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def unet_golden() -> dict[str, Tensor]:
    return load_file(GOLDEN / "unet_sampler.safetensors")


@pytest.fixture(scope="session")
def unet_layout() -> dict[str, Any]:
    layout: dict[str, Any] = json.loads((GOLDEN / "unet_layout.json").read_text())
    return layout


@pytest.fixture(scope="session")
def golden_unet(unet_layout: dict[str, Any]) -> torch.nn.Module:
    """The UNet3DConditionModel of the golden values, recipe weights, strictly loaded."""
    from diffusers import UNet3DConditionModel

    unet = UNet3DConditionModel(**unet_layout["unet_config"])
    unet.load_state_dict(fill_module(unet_layout["state_dict"]))
    return unet.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_t2v(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def motion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AnimateDiff as its pipeline saves it."""
    return make_tiny_motion(tmp_path_factory.mktemp("models") / "motion")


@pytest.fixture(scope="session")
def adapter_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same AnimateDiff in two parts."""
    return make_tiny_adapter(tmp_path_factory.mktemp("models") / "adapter")


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of another family: see `tests.toy_dit`."""
    return make_toy_dit(tmp_path_factory.mktemp("models") / "toy")


@pytest.fixture(scope="session")
def toy(toy_folder: Path) -> ToyBackbone:
    return load_toy_dit(toy_folder)


@pytest.fixture
def toy_family(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line that a new family takes in `load.py`."""
    monkeypatch.setattr(load, "FAMILIES", {**load.FAMILIES, NAME: load_toy_dit})


@pytest.fixture(scope="session")
def tokenizer(tiny_folder: Path) -> Any:
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(tiny_folder / "tokenizer", local_files_only=True)


@pytest.fixture
def fresh_tokenizer(tiny_folder: Path) -> Any:
    """Another one, to be changed."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(tiny_folder / "tokenizer", local_files_only=True)


@pytest.fixture(scope="session")
def encoder(tokenizer: Any) -> Any:
    """A tiny CLIP text encoder with recipe weights."""
    model = tiny_text_encoder(len(tokenizer))
    model.load_state_dict(fill_module(model.state_dict()))
    return model.requires_grad_(False)
