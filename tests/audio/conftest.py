"""Real encoders for the audio tests: the published size filled by the golden recipe, and a tiny one."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from a2v_core.audio import BEATs, BEATsConfig
from a2v_core.checkpoints import load_strict
from tests.audio.tiny import tiny_beats
from tests.golden_recipe import GOLDEN, fill_module


@pytest.fixture(scope="session")
def golden() -> dict[str, Tensor]:
    return load_file(GOLDEN / "beats.safetensors")


@pytest.fixture(scope="session")
def layout() -> dict[str, Any]:
    """`cfg` and the shapes of the published fine-tuned checkpoint, by key."""
    content: dict[str, Any] = json.loads((GOLDEN / "beats_official_layout.json").read_text())
    return content


@pytest.fixture(scope="session")
def full_model(layout: dict[str, Any]) -> BEATs:
    with torch.device("meta"):
        model = BEATs(BEATsConfig.from_cfg(layout["cfg"]))
    load_strict(model, fill_module(layout["state_dict"]), "golden recipe", "BEATs encoder")
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def tiny_model() -> BEATs:
    return tiny_beats()
