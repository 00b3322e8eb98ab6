"""Training an AudioMapper for AnimateDiff, from a precomputed cache and without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from a2v_core.backbones import load_t2v
from a2v_core.media import probe_video, read_video
from a2v_core.tokens import load_mapper
from tests.tiny_t2v import TEXT_WIDTH
from tests.training.families import check_same_losses
from training.cache import open_cache
from training.cache.build import precompute
from training.config import make_config
from training.loop import fit
from training.loop.batches import CachedSource
from training.loop.order import draw
from training.loop.trained_mapper import make_mapper
from training.parts import read_lines


@pytest.fixture
def motion(values: dict[str, Any], motion_folder: Path) -> dict[str, Any]:
    """The small training, of this model."""
    values["models"] |= {"t2v": str(motion_folder)}
    return values


def test_the_first_loss_by_hand_and_a_video(motion: dict[str, Any], motion_folder: Path) -> None:
    motion["run"] |= {"steps": 1, "batch_size": 1}
    motion["validation"] = {"every": 1, "loss_clips": 0, "videos": 1, "steps": 2}
    config = make_config(motion)
    assert precompute(config, progress=False).clips == 10
    fit(config, progress=False)
    contents = open_cache(config)
    assert contents is not None
    sample, backbone = CachedSource(config, contents)[0], load_t2v(motion_folder)
    assert sample.latents.shape == (4, 4, 2, 2)
    mapper = make_mapper(config, 32, 3, TEXT_WIDTH)
    chosen = draw(config.seed, 0, sample.latents.shape, config.loss, 1000)
    t = torch.tensor([chosen.timestep])
    noisy = backbone.schedule("ddpm", 1, 0).add_noise(sample.latents[None], chosen.noise[None], t)
    words = mapper(sample.layers.permute(1, 2, 0, 3).flatten(2)[None], sample.times, 4, 8.0)
    prompt = "a video of <temp> <local1> <local2> <local3> <local4> <class>"
    prompt += f", {sample.caption}" if sample.caption else ""
    with torch.no_grad():
        predicted = backbone.denoise(noisy, t, backbone.encode_texts([prompt], words))[0]
    mse = (predicted - chosen.noise).square().mean()
    assert read_lines(config.output_dir / "metrics.jsonl")[0]["mse"] == pytest.approx(float(mse), rel=1e-5)
    (video,) = (config.output_dir / "videos" / "step-00000001").glob("*.mp4")
    assert probe_video(video).fps == 8.0
    assert len(read_video(video).frames) == 4


def test_the_loss_goes_down_and_a_mapper_of_its_width_is_made(motion: dict[str, Any]) -> None:
    motion["run"] |= {"steps": 16, "batch_size": 4}
    motion["optimizer"] = {"learning_rate": 3e-4}
    motion["validation"] = {"every": 4, "loss_clips": 4, "videos": 0}
    config = make_config(motion)
    precompute(config, progress=False)
    fit(config, progress=False)
    losses = [line["loss"] for line in read_lines(config.output_dir / "validation.jsonl")]
    assert len(losses) == 4
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.99 * losses[0]
    assert load_mapper(config.output_dir / "mapper.safetensors").config.output_size == TEXT_WIDTH


def test_neither_checkpointing_nor_a_cache_changes_the_numbers(motion: dict[str, Any]) -> None:
    check_same_losses(motion)
