"""LoRAs of the text-to-video model, on a real ComfyUI."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from a2v_core.backbones.unet3d.load import load_unet3d
from tests.comfyui.driver import ALIKE, Comfy, Graph, changed

LAYER = "conv_out"


def write_lora(path: Path, model: Path, scale: float) -> None:
    """A rank 2 update of one layer, whose weights it changes by about `scale` of themselves."""
    weight = load_unet3d(model).unet.get_submodule(LAYER).weight
    torch.manual_seed(0)
    down = torch.randn(2, *weight.shape[1:]) * weight.std() * scale
    up = torch.randn(weight.shape[0], 2, 1, 1)
    path.parent.mkdir(exist_ok=True)
    save_file({f"{LAYER}.lora_down.weight": down, f"{LAYER}.lora_up.weight": up}, path)


@pytest.fixture
def lora(comfy: Comfy) -> str:
    models = comfy.server.models
    write_lora(models / "loras" / "tiny.safetensors", models / "a2v_t2v" / "tiny", 1.0)
    return "tiny.safetensors"


def video(comfy: Comfy, graph: Graph, **loader: object) -> Tensor:
    return comfy.frames(changed(graph, A2VLoadT2VModel=loader))


def test_a_lora_changes_the_video_by_its_strength(comfy: Comfy, graph: Graph, lora: str) -> None:
    plain = video(comfy, graph)
    whole, nothing = (
        (video(comfy, graph, lora_name=lora, lora_strength=strength) - plain).abs().mean()
        for strength in (1.0, 0.0)
    )
    assert whole > 2e-2
    assert nothing < ALIKE


def test_another_file_under_the_same_name_is_loaded(comfy: Comfy, graph: Graph, lora: str) -> None:
    before = video(comfy, graph, lora_name=lora)
    time.sleep(0.01)
    models = comfy.server.models
    write_lora(models / "loras" / lora, models / "a2v_t2v" / "tiny", 3.0)
    assert (video(comfy, graph, lora_name=lora) - before).abs().mean() > 2e-2


def test_a_lora_for_another_network_is_named(comfy: Comfy, graph: Graph, lora: str) -> None:
    path = comfy.server.models / "loras" / "other.safetensors"
    save_file(
        {"nowhere.lora_down.weight": torch.ones(2, 4), "nowhere.lora_up.weight": torch.ones(4, 2)}, path
    )
    run = comfy.run(changed(graph, A2VLoadT2VModel={"lora_name": path.name}))
    assert "other.safetensors" in run.message
    assert "nowhere" in run.message
