"""Training for a flow-matching model whose latent frames stand for four frames (`tests.toy_dit`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from a2v_core.backbones import load_t2v
from a2v_core.checkpoints import read_checkpoint
from a2v_core.errors import A2VError
from a2v_core.media import probe_video, read_video
from tests.toy_dit import SPEC, ToyBackbone
from tests.training.families import check_same_losses
from training.ablate.caches import Models
from training.cache import open_cache, read_sample
from training.cache.build import precompute
from training.config import Config, make_config
from training.data import cut, list_items
from training.errors import ConfigError
from training.loop import fit
from training.loop.batches import CachedSource
from training.loop.order import draw
from training.loop.trained_mapper import make_mapper
from training.parts import read_lines


@pytest.fixture
def flow(values: dict[str, Any], toy_folder: Path, toy_family: None) -> dict[str, Any]:
    """The small training, of this model and with clips that it can have."""
    values["models"] |= {"t2v": str(toy_folder)}
    values["data"] |= {"num_frames": 9, "width": 32, "height": 32}
    return values


def test_latents_in_the_cache_are_those_of_the_model(flow: dict[str, Any], toy: ToyBackbone) -> None:
    config = make_config(flow)
    assert precompute(config, progress=False).clips == 10
    contents = open_cache(config)
    assert contents is not None
    entry = next(entry for entry in contents.entries if entry.id == "train/b.mp4")
    item = next(item for item in list_items(config.data)[0] if item.id == entry.id)
    frames = cut(item, entry.number, config.data, config.seed).frames.float() / 255
    sample = read_sample(entry)
    assert sample.latents.shape == (16, 3, 4, 4)
    torch.testing.assert_close(sample.latents, toy.encode(frames, 8)[0])


def test_the_first_loss_is_that_of_flow_matching(flow: dict[str, Any], toy: ToyBackbone) -> None:
    flow["run"] |= {"steps": 1, "batch_size": 1}
    config = make_config(flow)
    precompute(config, progress=False)
    fit(config, progress=False)
    contents = open_cache(config)
    assert contents is not None
    sample = CachedSource(config, contents)[0]
    mapper = make_mapper(config, 32, 3, SPEC.word_width)
    chosen = draw(config.seed, 0, sample.latents.shape, config.loss, 1000)
    level = chosen.timestep / 1000
    noisy = (1 - level) * sample.latents + level * chosen.noise
    words = mapper(sample.layers.permute(1, 2, 0, 3).flatten(2)[None], sample.times, 9, 8.0)
    prompt = "a video of <temp> <local1> <local2> <local3> <local4> <class>"
    prompt += f", {sample.caption}" if sample.caption else ""
    with torch.no_grad():
        context = toy.encode_texts([prompt], words)
        predicted = toy.denoise(noisy[None], torch.tensor([chosen.timestep]), context)[0]
    assert context.num_frames == 3
    mse = (predicted - (chosen.noise - sample.latents)).square().mean()
    assert read_lines(config.output_dir / "metrics.jsonl")[0]["mse"] == pytest.approx(float(mse), rel=1e-5)


def test_the_loss_goes_down(flow: dict[str, Any]) -> None:
    flow["run"] |= {"steps": 30}
    flow["optimizer"] = {"learning_rate": 3e-3}
    flow["validation"] = {"every": 1, "loss_clips": 2, "videos": 0}
    config = make_config(flow)
    precompute(config, progress=False)
    fit(config, progress=False)
    losses = [line["loss"] for line in read_lines(config.output_dir / "validation.jsonl")]
    assert losses[-1] < 0.9 * losses[0]


def test_a_video_is_made_while_training(flow: dict[str, Any]) -> None:
    flow["run"] |= {"steps": 1}
    flow["validation"] = {"every": 1, "loss_clips": 0, "videos": 1, "steps": 2, "scheduler": "unipc"}
    config = make_config(flow)
    precompute(config, progress=False)
    fit(config, progress=False)
    video = config.output_dir / "videos" / "step-00000001" / "test_e.mp4"
    facts = probe_video(video)
    assert (facts.fps, facts.width, facts.height, facts.has_audio) == (8.0, 32, 32, True)
    assert len(read_video(video).frames) == 9


class KilledError(Exception):
    """Ends a training in the middle."""


def test_a_killed_training_goes_on(flow: dict[str, Any]) -> None:
    flow["loss"] = {"condition_dropout": 0.3, "min_snr_gamma": 5.0}
    whole = make_config(flow)
    precompute(whole, progress=False)
    flow["cache"] |= {"dir": str(whole.cache_dir)}
    flow["output_dir"] += "-killed"
    killed = make_config(flow)

    def kill(step: int) -> None:
        if step == 5:
            raise KilledError

    fit(whole, progress=False)
    with pytest.raises(KilledError):
        fit(killed, on_step=kill, progress=False)
    fit(killed, progress=False)
    one, two = (
        read_checkpoint(config.output_dir / "mapper.safetensors").tensors for config in (whole, killed)
    )
    assert all(torch.equal(value, two[key]) for key, value in one.items())
    assert metrics(whole) == metrics(killed)


def metrics(config: Config) -> bytes:
    return (config.output_dir / "metrics.jsonl").read_bytes()


def test_neither_checkpointing_nor_a_cache_changes_the_numbers(flow: dict[str, Any]) -> None:
    check_same_losses(flow)


def test_what_the_model_cannot_do_is_said_before_the_work(flow: dict[str, Any]) -> None:
    flow["data"] |= {"num_frames": 8}
    for command in (fit, precompute):
        with pytest.raises(
            A2VError, match=r"num_frames is 8: a toy DiT makes videos of 4n\+1 frames, such as 9"
        ):
            command(make_config(flow), progress=False)
    flow["data"] |= {"num_frames": 9, "width": 40}
    with pytest.raises(A2VError, match="width is 40 pixels: it must be divisible by 16, such as 32"):
        precompute(make_config(flow), progress=False)
    flow["data"] |= {"width": 32}
    flow["cache"] |= {"use": "never"}
    flow["validation"] = {"every": 100, "videos": 1, "scheduler": "ddim"}
    steps: list[int] = []
    with pytest.raises(A2VError, match="'ddim' does not solve flow-matching models"):
        fit(make_config(flow), on_step=steps.append, progress=False)
    assert steps == []


def test_the_ablation_needs_a_latent_frame_for_every_frame(
    models: Path, toy_folder: Path, toy_family: None
) -> None:
    with pytest.raises(ConfigError, match="a latent frame of a toy DiT stands for 4 frames"):
        Models.load(models / "beats.safetensors", toy_folder)


def test_only_what_is_asked_for_is_loaded(toy_folder: Path, toy_family: None) -> None:
    trained = load_t2v(toy_folder, "bf16", parts=["text", "denoiser"])
    assert list(trained.parts()) == ["text", "denoiser"]
    context = trained.encode_texts(["a <temp>"], {"temp": torch.zeros(1, 5, 32)})
    predicted = trained.denoise(torch.zeros(1, 16, 2, 4, 4), torch.tensor([500]), context)
    assert predicted.dtype == torch.bfloat16
