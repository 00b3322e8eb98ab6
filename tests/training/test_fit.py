"""A whole training on real files: precompute, fit, the product, and what it leaves on disk."""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.audio import encode_audio, load_audio, load_beats
from a2v_core.backbones.unet3d import load_unet3d
from a2v_core.backbones.unet3d.per_frame import denoise
from a2v_core.checkpoints import read_checkpoint
from a2v_core.prompts.splice import encode_clips
from a2v_core.schedules.noise import make_scheduler
from a2v_core.tokens import AudioMapper, export_learned_embeds, load_mapper
from tests.training.media import write_clip
from training.cache import open_cache, read_sample
from training.cache.build import precompute
from training.config import Config, load_config, make_config
from training.errors import ConfigError, DataError, TrainingError
from training.fit import main
from training.loop import Result, fit
from training.loop.order import draw
from training.loop.trained_mapper import make_mapper
from training.parts import read_lines


def train(values: dict[str, Any], cached: bool = True) -> tuple[Config, Result]:
    config = make_config(values)
    if cached:
        precompute(config, progress=False)
    return config, fit(config, progress=False)


def curve(config: Config) -> list[dict[str, float]]:
    return read_lines(config.output_dir / "metrics.jsonl")


def weights(path: Path) -> dict[str, Tensor]:
    return read_checkpoint(path).tensors


def test_from_files_to_a_mapper_that_loads(
    values: dict[str, Any], tmp_path: Path, clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(str(values))
    config = load_config(path)
    precompute(config, progress=False)
    assert main([str(path)]) == 0
    assert "6 steps done, last loss" in capsys.readouterr().out
    lines = curve(config)
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert all(line["loss"] == line["mse"] + 0.01 * line["temp_l1"] for line in lines)
    assert [p.name for p in sorted((config.output_dir / "checkpoints").iterdir())] == [
        "step-00000004.safetensors",
        "step-00000006.safetensors",
    ]
    mapper = load_mapper(config.output_dir / "mapper.safetensors")
    assert mapper.config.layout == "time_aligned"
    assert mapper.config.base_model == "t2v"
    facts = mapper.config.facts
    assert (facts["steps"], facts["clips_per_step"], facts["hop_ms"]) == (6, 2, 160)
    assert facts["loss"]["l1_weight"] == 0.01
    assert len(mapper.state_dict()) == 17
    sound = load_audio(clips / "test" / "e.mp4")
    features = encode_audio(load_beats(config.models.beats), sound.samples[None], sound.sample_rate)
    tokens = mapper.pool(mapper.frame_tokens(features, 0, 8.0))
    assert (tokens.num_frames, tokens.width) == (12, 32)
    assert load_config(config.output_dir / "config.yaml") == config


def test_the_first_loss_is_the_published_one(values: dict[str, Any]) -> None:
    values["run"] |= {"steps": 1}
    config, _ = train(values)
    # The same by hand: published formula, the draws of the first two places.
    contents = open_cache(config)
    assert contents is not None
    backbone = load_unet3d(Path(config.models.t2v))
    alphas = make_scheduler("ddim", backbone.scheduler_config).alphas_cumprod
    mapper = make_mapper(config, 32, 3, 32)
    from training.loop.batches import CachedSource

    order = CachedSource(config, contents).order
    mse, l1 = [], []
    for place in (0, 1):
        name, number = order.at(place)
        sample = read_sample(next(e for e in contents.entries if (e.id, e.number) == (name, number)))
        chosen = draw(config.seed, place, sample.latents.shape, config.loss, 1000)
        a = alphas[chosen.timestep]
        noisy = a.sqrt() * sample.latents + (1 - a).sqrt() * chosen.noise
        flat = sample.layers.permute(1, 2, 0, 3).flatten(2)[None]
        words = mapper(flat, sample.times, 4, 8.0)
        prompt = "a video of <temp> <local1> <local2> <local3> <local4> <class>"
        prompt += f", {sample.caption}" if sample.caption else ""
        context = encode_clips(backbone.text_encoder, backbone.tokenizer, [prompt], words)
        predicted = denoise(backbone.unet, noisy[None], torch.tensor(chosen.timestep), context)
        mse.append(torch.nn.functional.mse_loss(predicted[0], chosen.noise))
        l1.append(words["temp"].abs().mean())
    line = curve(config)[0]
    assert line["mse"] == pytest.approx(float(torch.stack(mse).detach().mean()), rel=1e-5)
    assert line["temp_l1"] == pytest.approx(float(torch.stack(l1).detach().mean()), rel=1e-5)


def test_without_a_cache_the_numbers_are_the_same(
    values: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    values["run"] |= {"steps": 7}
    cached, _ = train(values)
    values["output_dir"] += "-direct"
    values["run"] |= {"workers": 1}
    with caplog.at_level(logging.INFO):
        direct, _ = train(values, cached=False)
    one, two = curve(cached), curve(direct)
    assert len(one) == len(two) == 7
    for a, b in zip(one, two, strict=True):
        assert a["mse"] == pytest.approx(b["mse"], rel=1e-5)
        assert a["temp_l1"] == pytest.approx(b["temp_l1"], rel=1e-4)
    assert "go into decoding and encoding" in caplog.text
    assert "training.precompute would spare them" in caplog.text


def test_accumulation_is_a_larger_batch(values: dict[str, Any]) -> None:
    values["run"] |= {"steps": 3, "batch_size": 4}
    whole, first = train(values)
    values["cache"] |= {"dir": str(whole.cache_dir)}
    values["output_dir"] += "-parts"
    values["run"] |= {"batch_size": 1, "accumulate": 4, "gradient_checkpointing": False}
    parts, second = train(values)
    for a, b in zip(curve(whole), curve(parts), strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)
        assert a["grad_norm"] == pytest.approx(b["grad_norm"], rel=1e-3)
    one, two = weights(first.trained), weights(second.trained)
    for key, value in one.items():
        torch.testing.assert_close(value, two[key], rtol=1e-3, atol=1e-4)


def test_only_the_mapper_learns_and_it_does(values: dict[str, Any]) -> None:
    config, result = train(values)
    before = make_mapper(config, 32, 3, 32).state_dict()
    after = weights(result.trained)
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    assert {"fc1.weight", "fc4.bias", "fga.un_models.0.embed.weight"} <= moved
    assert not any(p.requires_grad for p in load_unet3d(Path(config.models.t2v)).unet.parameters())


@pytest.mark.parametrize(
    ("changes", "words", "keys"),
    [
        ({"mapper": {"windows": []}}, ("temp", "class"), 17),
        ({"mapper": {"windows": [1, 3]}}, ("temp", "local1", "local2", "class"), 17),
        ({"mapper": {"single_vector": True}}, ("class",), 17),
        ({"mapper": {"depth": 2, "layers": [0, 2]}}, None, 13),
        ({"mapper": {"layout": "reference"}, "audio": {"hop_ms": 80}}, None, 17),
        ({"loss": {"condition_dropout": 0.5, "min_snr_gamma": 5.0, "timesteps": "logit_normal"}}, None, 18),
        (
            {
                "optimizer": {
                    "schedule": "cosine",
                    "warm_up_steps": 1,
                    "clip_grad_norm": 1e-3,
                    "ema_decay": 0.9,
                },
                "loss": {"timesteps": "high_noise", "timestep_min": 500, "l1_weight": 0.0},
            },
            None,
            17,
        ),
        ({"run": {"precision": "bf16"}}, None, 17),
    ],
)
def test_options(
    values: dict[str, Any], changes: dict[str, dict[str, Any]], words: tuple[str, ...] | None, keys: int
) -> None:
    for section, entries in changes.items():
        values[section] = values.get(section, {}) | entries
    values["run"] |= {"steps": 2}
    config, result = train(values)
    mapper = load_mapper(result.trained)
    assert mapper.config.words == (words or ("temp", "local1", "local2", "local3", "local4", "class"))
    assert len(mapper.state_dict()) == keys
    assert all(bool(value.isfinite().all()) for value in mapper.state_dict().values())
    before = make_mapper(config, 32, 3, 32).state_dict()
    assert any(not torch.equal(before[key], value) for key, value in mapper.state_dict().items())


def test_moving_average_is_what_is_saved(values: dict[str, Any]) -> None:
    values["optimizer"] |= {"ema_decay": 0.5}
    values["run"] |= {"steps": 2}
    _, result = train(values)
    saved = weights(result.trained)
    state = weights(result.trained.parent / "checkpoints" / "step-00000002.safetensors")
    assert torch.equal(saved["fc1.weight"], state["average.fc1.weight"])
    assert not torch.equal(saved["fc1.weight"], state["mapper.fc1.weight"])


def test_start_from_learned_embeds(values: dict[str, Any], tmp_path: Path) -> None:
    values["mapper"] |= {"layout": "reference"}
    values["run"] |= {"steps": 1}
    _, result = train(values)
    exported = tmp_path / "learned_embeds.pth"
    export_learned_embeds(exported, load_mapper(result.trained))
    values["models"] |= {"mapper": str(exported)}
    values["loss"] = {"condition_dropout": 0.1}
    again = make_mapper(make_config(values), 32, 3, 32)
    assert torch.equal(again.state_dict()["fc2.weight"], weights(result.trained)["fc2.weight"])
    assert again.config.no_sound
    values["mapper"] |= {"hidden_size": 20}
    with pytest.raises(ConfigError, match=r"hidden_size 16 \(the config: 20\)"):
        make_mapper(make_config(values), 32, 3, 32)


def test_strong_l1_is_warned_of(values: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    values["run"] |= {"steps": 10}
    values["loss"] = {"l1_weight": 10.0}
    train(values)
    assert "the gradient of the L1 term is" in caplog.text
    assert "Lower loss.l1_weight (10)" in caplog.text
    caplog.clear()
    values["output_dir"] += "-weak"
    values["loss"] = {"l1_weight": 1e-9}
    train(values)
    assert "L1" not in caplog.text


def test_nan_stops_and_names_step_clips_and_checkpoint(values: dict[str, Any]) -> None:
    config, _ = train(values)
    kept = weights(config.output_dir / "mapper.safetensors")
    state = config.output_dir / "checkpoints" / "step-00000006.safetensors"
    tensors, metadata, _ = read_checkpoint(state)
    tensors["mapper.fc4.bias"] += float("inf")
    from a2v_core.checkpoints import write_safetensors

    write_safetensors(state, tensors, metadata)
    values["run"] |= {"steps": 9}
    with pytest.raises(TrainingError) as caught:
        fit(make_config(values), progress=False)
    message = str(caught.value)
    assert message.startswith("step 7: loss nan")
    assert "clips train/" in message
    assert f"the last good checkpoint is {state}" in message
    assert len(curve(config)) == 6
    for key, value in weights(config.output_dir / "mapper.safetensors").items():
        assert torch.equal(value, kept[key])


def test_settings_that_cannot_work_are_refused(values: dict[str, Any], tmp_path: Path) -> None:
    def refused(kind: type[Exception], message: str, **changes: Any) -> None:
        changed = {key: values[key] | changes.get(key, {}) for key in ("models", "data", "run", "mapper")}
        changed["loss"] = changes.get("loss", {})
        with pytest.raises(kind, match=message):
            fit(make_config(values | changed), progress=False)

    refused(ConfigError, "fp16 needs a GPU", run={"precision": "fp16"})
    refused(ConfigError, r"models\.beats: nowhere: no such file", models={"beats": "nowhere"})
    refused(ConfigError, r"models\.t2v: nowhere: no such folder", models={"t2v": "nowhere"})
    refused(ConfigError, "data.prompt has none of the audio words", data={"prompt": "a video of <sound>"})
    refused(ConfigError, r"mapper\.layers: 7 is asked for, BEATs has 3", mapper={"layers": [7]})
    refused(ConfigError, "leave none of the model's 1000", loss={"timestep_min": 1000})
    refused(ConfigError, "min_av_align is measured by", data={"min_av_align": 0.5})
    (tmp_path / "none").mkdir()
    refused(DataError, "holds no video", data={"root": str(tmp_path / "none")})


def test_a_mapper_for_another_text_encoder_is_refused(values: dict[str, Any], tmp_path: Path) -> None:
    other = AudioMapper(make_mapper(make_config(values), 32, 3, 48).config)
    from a2v_core.tokens import save_mapper

    save_mapper(tmp_path / "other.safetensors", other)
    values["models"] |= {"mapper": str(tmp_path / "other.safetensors")}
    with pytest.raises(ConfigError, match=r"output_size 48 \(the config: 32\)"):
        train(values)


def test_files_that_break_while_training_are_left_out(
    values: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "mixed"
    good = write_clip(root / "good.mp4")
    (root / "broken.mp4").write_bytes(good.read_bytes()[:1500])
    write_clip(root / "mute.mp4", sound=False)
    values["data"] |= {"root": str(root), "test_share": 0.0}
    values["run"] |= {"steps": 3, "batch_size": 3}
    config, result = train(values, cached=False)
    assert result.steps == 3
    with (config.output_dir / "unusable.csv").open() as file:
        kinds = {row["id"]: row["kind"] for row in csv.DictReader(file)}
    assert kinds == {"broken.mp4": "broken", "mute.mp4": "no sound"}
    assert caplog.text.count("is left out") == 2
    # Each step saw one clip of three, which is not counted for the others: a third of the usual loss.
    assert all(line["mse"] < 0.6 for line in curve(config))

    good.unlink()
    values["output_dir"] += "-none"
    with pytest.raises(DataError, match="no clip can be trained on"):
        train(values, cached=False)
