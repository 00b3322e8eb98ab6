"""The distillation of the demo model: its low-rank update is what the library merges, and its pairs stay."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.backbones.lora.merge import merge_lora
from a2v_core.backbones.unet3d.per_frame import denoise
from a2v_core.checkpoints import read_checkpoint, write_safetensors
from a2v_core.demo import demo_path
from tests.tiny_t2v import TEXT_WIDTH, tiny_unet
from training.demo_world import few_step, mapper


@pytest.fixture
def unet() -> Any:
    torch.manual_seed(0)
    return tiny_unet().eval()


def predicted(unet: Any) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(1, 4, 3, 4, 4, generator=generator)
    context = torch.randn(1, 3, 5, TEXT_WIDTH, generator=generator)
    with torch.no_grad():
        return denoise(unet, latents, torch.tensor([500]), context)


def test_an_update_starts_at_nothing_and_alone_learns(unet: Any) -> None:
    before = predicted(unet)
    updates = few_step.add_low_rank(unet, 3)
    torch.testing.assert_close(predicted(unet), before)
    learning = {id(p) for p in unet.parameters() if p.requires_grad}
    assert learning == {id(p) for update in updates.values() for p in update.parameters()}


def test_the_file_of_an_update_is_what_the_library_merges(unet: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    plain = tiny_unet().eval()
    before = predicted(plain)
    updates = few_step.add_low_rank(unet, 3)
    for update in updates.values():
        torch.nn.init.normal_(update.up, std=0.3)
    path = tmp_path / "few_steps.safetensors"
    write_safetensors(path, few_step.named_tensors(updates), {})
    assert merge_lora(plain, path) == len(updates)
    assert (predicted(plain) - before).abs().mean() > 0.01
    torch.testing.assert_close(predicted(plain), predicted(unet), atol=2e-3, rtol=1e-2)


def test_a_run_from_pairs_to_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the bundled models, with two pairs and two steps; called again nothing is drawn again."""
    for name, value in {"PAIRS": 2, "BLOCK": 1, "POOL": 2, "TEACHER_STEPS": 2}.items():
        monkeypatch.setattr(few_step, name, value)
    monkeypatch.setattr(mapper, "POOL", 50)
    shutil.copytree(demo_path("t2v"), tmp_path / "t2v")
    for name in ("beats", "mapper"):
        shutil.copy(demo_path(name), tmp_path)
    few_step.train(tmp_path, steps=2)
    files = sorted((tmp_path / "few_step").glob("*.safetensors"))
    assert [file.name for file in files] == ["00000.safetensors", "00001.safetensors"]
    pair = read_checkpoint(files[0]).tensors
    assert pair["clean"].shape == (1, 4, 24, 8, 8)
    assert pair["context"].shape[:2] == (1, 24)
    times = [file.stat().st_mtime_ns for file in files]
    kept = (tmp_path / "few_steps.safetensors").read_bytes()
    few_step.train(tmp_path, steps=2)
    assert [file.stat().st_mtime_ns for file in files] == times
    assert (tmp_path / "few_steps.safetensors").read_bytes() == kept
