"""Memory of a training, computed: its parts by hand, and its command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from a2v_core.backbones import read_json
from a2v_core.backbones.dit import WAN, AdapterConfig
from a2v_core.checkpoints import read_checkpoint
from tests.tiny_wan import HEAD_DIM, HEADS, LAYERS
from training.config import load_config
from training.memory import PUBLISHED, Denoiser, batch_bytes, main, memory_of

WAN_CONFIG = Path(__file__).resolve().parents[2] / "training" / "configs" / "wan.yaml"


def test_the_config_that_ships_fits_on_a_card_of_24_gb() -> None:
    config, denoiser = load_config(WAN_CONFIG), Denoiser.of(PUBLISHED, "bf16")
    assert denoiser.weights == pytest.approx(2 * 1.42e9, rel=0.01)
    memory = memory_of(config, denoiser, WAN.spec, 4096)
    numbers = [memory.frozen, memory.trained, memory.batch, memory.total]
    said = "".join(line for line in WAN_CONFIG.read_text().splitlines(keepends=True) if line.startswith("#"))
    for number in numbers:
        assert f"{number / 1e9:.2f} GB" in said
    assert memory.total < 23e9


def test_a_batch_by_hand() -> None:
    own = AdapterConfig(
        family="Wan",
        base_model="",
        width=8,
        layers=5,
        blocks=(1, 3),
        time=4,
        first_alone=True,
        token_width=4,
        inner=6,
        heads=2,
    )
    denoiser = Denoiser(width=8, mlp=20, blocks=5, item=2, weights=0)
    block = 100 * (36 * 8 + 2 * 20) + 2 * (2 * 2 * 512 * 8)
    work = 100 * (22 * 8 + 70)
    assert (
        batch_bytes(denoiser, own, 100, 2, recompute=False) == 3 * block + 2 * 100 * (16 * 8 + 12 * 6) + work
    )
    assert batch_bytes(denoiser, own, 100, 2, recompute=True) == 100 * 8 * (3 * 2 + 2 * 4) + block + work


def test_the_weights_of_a_folder(
    values: dict[str, Any], wan_folder: Path, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values["models"]["t2v"] = str(wan_folder)
    values["data"] |= {"num_frames": 9, "width": 32, "height": 32}
    path = tmp_path / "wan.yaml"
    path.write_text(yaml.safe_dump(values))
    folder = wan_folder / "transformer"
    stored = read_checkpoint(folder / "diffusion_pytorch_model.safetensors").tensors
    denoiser = Denoiser.of(read_json(folder / "config.json"), "fp32")
    assert denoiser.weights == sum(4 * value.numel() for value in stored.values())
    assert (denoiser.width, denoiser.mlp, denoiser.blocks) == (HEADS * HEAD_DIM, 64, LAYERS)
    assert main([str(path)]) == 0
    assert [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()] == [
        *("frozen denoiser", "adapter, gradient, AdamW, EMA", "a batch at its peak", "together")
    ]
    assert main([str(path), "--set", "data.num_frames=10"]) == 1
    assert "Wan makes videos of 4n+1 frames, such as 9" in capsys.readouterr().err
    assert main([str(path), "--set", f"models.t2v={models / 't2v'}"]) == 1
    assert "takes no audio adapter" in capsys.readouterr().err
