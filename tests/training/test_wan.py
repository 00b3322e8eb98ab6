"""Training an audio adapter for a tiny Wan: cache, losses, gates, resume, validation, and the saved file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from a2v_core.audio import load_audio, load_beats
from a2v_core.backbones import load_t2v
from a2v_core.backbones.dit import AudioAdapter, load_adapter
from a2v_core.backbones.wan import WanBackbone
from a2v_core.checkpoints import read_checkpoint
from a2v_core.errors import A2VError
from a2v_core.media import probe_video, read_video
from a2v_core.pipeline import VideoPipeline, VideoRequest, hear
from a2v_core.sampling import SampleSettings
from a2v_core.tokens import save_mapper
from tests.tiny_wan import CHANNELS, HEAD_DIM, HEADS, LAYERS, SHIFT, TEXT_WIDTH
from tests.training.families import check_same_losses
from training.cache import Texts, open_cache, read_sample
from training.cache.build import precompute
from training.config import Config, make_config
from training.data import cut, list_items
from training.errors import ConfigError, DataError, TrainingError
from training.loop import fit
from training.loop.batches import CachedSource
from training.loop.loss import Objective
from training.loop.order import draw
from training.loop.setup import load_frozen, make_trainee
from training.loop.trainer import Trainer
from training.parts import motion_weights, read_lines

ADAPTER = {"token_width": 12, "inner": 16, "heads": 2}


@pytest.fixture(scope="session")
def cache_of_wan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for one cache that all tests of this file share."""
    return tmp_path_factory.mktemp("cache") / "wan"


@pytest.fixture
def wan(values: dict[str, Any], wan_folder: Path, cache_of_wan: Path) -> dict[str, Any]:
    """The small training, of this model and with clips that it can have."""
    values["models"] |= {"t2v": str(wan_folder)}
    values["data"] |= {"num_frames": 9, "width": 32, "height": 32}
    values["cache"] |= {"dir": str(cache_of_wan)}
    values["adapter"] = dict(ADAPTER)
    values["loss"] = {"l1_weight": 0.0}
    precompute(make_config(values), progress=False)
    return values


def backbone_of(config: Config) -> WanBackbone:
    backbone = load_t2v(config.models.t2v)
    assert isinstance(backbone, WanBackbone)
    return backbone


def weights(path: Path) -> dict[str, Tensor]:
    return read_checkpoint(path).tensors


def test_the_cache_has_latents_and_every_text_once(wan: dict[str, Any]) -> None:
    config = make_config(wan)
    backbone, contents = backbone_of(config), open_cache(config)
    assert contents is not None
    entry = next(entry for entry in contents.entries if entry.id == "train/b.mp4")
    item = next(item for item in list_items(config.data)[0] if item.id == entry.id)
    frames = cut(item, entry.number, config.data, config.seed).frames.float() / 255
    sample = read_sample(entry)
    assert sample.latents.shape == (CHANNELS, 3, 4, 4)
    torch.testing.assert_close(sample.latents, backbone.encode(frames, 8)[0])

    prompts = ["", "a video", "a video, a bell on a table"]
    texts = Texts(config)
    assert texts.missing([*prompts, "a dog", "a dog"]) == ["a dog"]
    found = texts.states(prompts)
    assert found.shape == (3, 512, TEXT_WIDTH)
    assert torch.equal(found, backbone.encode_captions(prompts))
    (shard,) = texts.folder.iterdir()
    stored = weights(shard)
    # Without the zeros that follow: an end token, and words with it.
    assert sorted(len(states) for states in stored.values()) == [1, 3, 9]


def test_new_prompts_are_encoded_alone(wan: dict[str, Any], tmp_path: Path) -> None:
    wan["cache"] |= {"dir": str(tmp_path / "cache")}
    precompute(make_config(wan), progress=False)
    folder = tmp_path / "cache" / "texts"
    before = {path: path.read_bytes() for path in folder.iterdir()}
    shards = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").glob("shard-*")}
    wan["data"] |= {"prompt": "a red ball"}
    changed = make_config(wan)
    with pytest.raises(
        DataError, match=r"has no states of the text 'a red ball'; run training\.precompute again"
    ):
        fit(changed, progress=False)
    assert precompute(changed, progress=False).new == 0
    assert {path: path.read_bytes() for path in before} == before
    assert len(list(folder.iterdir())) == 2
    assert {path: path.stat().st_mtime_ns for path in shards} == shards
    assert Texts(changed).missing(["a red ball", "a video"]) == []
    wan["run"] |= {"precision": "bf16"}
    with pytest.raises(
        DataError, match=r"texts: this cache was made with run\.precision 'fp32' \(now 'bf16'\)"
    ):
        Texts(make_config(wan))
    next(iter(before)).write_bytes(b"nothing")
    with pytest.raises(DataError, match="damaged or no cache file"):
        Texts(changed)


def test_the_first_loss_is_that_of_flow_matching(wan: dict[str, Any]) -> None:
    wan["run"] |= {"steps": 1, "batch_size": 1, "gradient_checkpointing": False}
    wan["loss"] = {"l1_weight": 0.0, "timesteps": "logit_normal", "motion_weight": 2.0}
    config = make_config(wan)
    fit(config, progress=False)
    contents = open_cache(config)
    assert contents is not None
    sample, backbone = CachedSource(config, contents)[0], backbone_of(config)
    chosen = draw(config.seed, 0, sample.latents.shape, config.loss, 1000, SHIFT)
    assert chosen.timestep != draw(config.seed, 0, sample.latents.shape, config.loss, 1000).timestep
    level = chosen.timestep / 1000
    noisy = (1 - level) * sample.latents + level * chosen.noise
    prompt = f"a video, {sample.caption}" if sample.caption else "a video"
    with torch.no_grad():
        states = backbone.encode_captions([prompt])
        flow = backbone.denoisers[0](noisy[None], torch.tensor([chosen.timestep]), states).sample[0]
    error = (flow - (chosen.noise - sample.latents)).square()
    mse = (error * motion_weights(sample.latents[None], 2.0)[0]).mean()
    line = read_lines(config.output_dir / "metrics.jsonl")[0]
    assert line["mse"] == pytest.approx(float(mse), rel=1e-5)
    assert line["grad_norm"] > 0
    start = load_adapter(config.output_dir / "adapter.safetensors")
    # The first step moves what is zero, and nothing that is behind it.
    assert float(start.requires_grad_(False).attention["0"].out.weight.abs().max()) > 0  # type: ignore[operator, union-attr]


class KilledError(Exception):
    """Ends a training in the middle."""


@pytest.mark.parametrize("route", ["frame_attention", "bias", "words"])
def test_a_killed_training_goes_on(wan: dict[str, Any], route: str) -> None:
    wan["adapter"] |= {"route": route, "blocks": "all"}
    wan["loss"] |= {"condition_dropout": 0.3, "min_snr_gamma": 5.0, "timesteps": "logit_normal"}
    wan["optimizer"] |= {"ema_decay": 0.5, "clip_grad_norm": 1.0}
    wan["run"] |= {"steps": 4, "batch_size": 1}
    whole = make_config(wan)
    wan["output_dir"] += "-killed"
    killed = make_config(wan)

    def kill(step: int) -> None:
        if step == 3:
            raise KilledError

    result = fit(whole, progress=False)
    assert result.trained == whole.output_dir / "adapter.safetensors"
    with pytest.raises(KilledError):
        fit(killed, on_step=kill, progress=False)
    fit(killed, progress=False)
    for name in ("adapter.safetensors", "checkpoints/step-00000004.safetensors"):
        one, two = (weights(config.output_dir / name) for config in (whole, killed))
        assert one.keys() == two.keys()
        assert all(torch.equal(value, two[key]) for key, value in one.items())
    assert (whole.output_dir / "metrics.jsonl").read_bytes() == (
        killed.output_dir / "metrics.jsonl"
    ).read_bytes()
    wan["adapter"] |= {"heads": 4}
    with pytest.raises(TrainingError, match=r"adapter\.heads 2 \(now 4\)"):
        fit(make_config(wan), progress=False)


@pytest.mark.parametrize("route", ["frame_attention", "words"])
def test_neither_checkpointing_nor_a_cache_changes_the_numbers(wan: dict[str, Any], route: str) -> None:
    wan["adapter"] |= {"route": route}
    wan["optimizer"] = {"learning_rate": 0.03}
    wan["run"] |= {"batch_size": 1}
    del wan["cache"]["dir"]
    check_same_losses(wan)


def test_a_clip_whose_sound_is_dropped_has_a_gate_of_zero(wan: dict[str, Any]) -> None:
    config = make_config(wan)
    backbone = load_frozen(config, torch.device("cpu"), ["denoiser"])
    trainee = make_trainee(config, backbone, Texts(config))
    adapter: Any = trainee.make(32, 3)
    fill(adapter)
    contents = open_cache(config)
    assert contents is not None
    source = CachedSource(config, contents)
    samples = [source[0], source[1]]
    objective = Objective.of(config, backbone, trainee)
    draws = [objective.draw(position, sample) for position, sample in enumerate(samples)]
    heard = objective(adapter, samples, draws)
    half = objective(adapter, samples, [draws[0], type(draws[1])(draws[1].timestep, draws[1].noise, True)])
    assert float(half.mse[0]) == pytest.approx(float(heard.mse[0]), rel=1e-6)
    torch.nn.init.zeros_(adapter.attention["0"].out.weight)
    for layer in adapter.attention.values():
        for part in (layer.out, layer.bias):
            torch.nn.init.zeros_(part.weight)
            torch.nn.init.zeros_(part.bias)
    base = objective(adapter, samples, draws)
    assert float(half.mse[1]) == pytest.approx(float(base.mse[1]), rel=1e-6)
    assert float(heard.mse[1]) != pytest.approx(float(base.mse[1]), rel=1e-4)
    half.mse[1].backward()
    assert all(p.grad is None or not float(p.grad.abs().max()) for p in adapter.parameters())


def fill(adapter: AudioAdapter) -> None:
    torch.manual_seed(5)
    for parameter in adapter.attention.parameters():
        torch.nn.init.normal_(parameter, std=0.3)


def test_it_learns_and_the_saved_adapter_steers_the_sampler(wan: dict[str, Any], clips: Path) -> None:
    wan["run"] |= {"steps": 24}
    wan["optimizer"] = {"learning_rate": 1e-2}
    wan["loss"] |= {"condition_dropout": 0.1}
    wan["validation"] = {
        "every": 8,
        "loss_clips": 4,
        "videos": 1,
        "steps": 2,
        "guidance_scale": 3.0,
        "scheduler": "unipc",
        "away_from": "no_sound",
    }
    config = make_config(wan)
    result = fit(config, progress=False)
    losses = [line["loss"] for line in read_lines(config.output_dir / "validation.jsonl")]
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    video = config.output_dir / "videos" / "step-00000024" / "test_e.mp4"
    facts = probe_video(video)
    assert (facts.fps, facts.width, facts.height, facts.has_audio) == (8.0, 32, 32, True)
    assert len(read_video(video).frames) == 9

    assert result.best == config.output_dir / "best.safetensors"
    adapter = load_adapter(result.best)
    own = adapter.config
    assert (own.family, own.base_model, own.width, own.layers) == ("Wan", "wan", HEADS * HEAD_DIM, LAYERS)
    assert (own.blocks, own.route, own.facts["clips_per_step"]) == ((0,), "frame_attention", 2)
    assert adapter.mapper.config.facts["hop_ms"] == 160
    assert not adapter.mapper.config.no_sound
    backbone = backbone_of(config)
    backbone.use_adapter(adapter)
    sound = load_audio(clips / "test" / "e.mp4", duration=9 / 8)
    tokens = hear(load_beats(config.models.beats), adapter.mapper, sound, 9, 8.0)
    settings = SampleSettings(2, 3.0, "unipc", width=32, height=32, num_frames=9)
    with_sound, without = (
        VideoPipeline(backbone).generate(VideoRequest("a video", heard, settings=settings)).latents
        for heard in (tokens, None)
    )
    assert float((with_sound - without).abs().mean()) > 1e-3


def test_a_training_goes_on_from_an_adapter_or_a_mapper(wan: dict[str, Any], tmp_path: Path) -> None:
    wan["run"] |= {"steps": 1, "batch_size": 1}
    first = fit(make_config(wan), progress=False).trained
    wan["output_dir"] += "-on"
    wan["models"] |= {"adapter": str(first)}
    wan["optimizer"] = {"learning_rate": 1e-9}
    second = fit(make_config(wan), progress=False).trained
    for key, value in weights(first).items():
        torch.testing.assert_close(weights(second)[key], value, atol=1e-6, rtol=0)
    mapper = load_adapter(first).mapper
    save_mapper(tmp_path / "mapper.safetensors", mapper)
    wan["models"] |= {"adapter": None, "mapper": str(tmp_path / "mapper.safetensors")}
    wan["output_dir"] += "-mapper"
    wan["seed"] += 1  # other weights of all that is not the mapper
    wan["cache"] = {"use": "never"}
    third = weights(fit(make_config(wan), progress=False).trained)
    for key, value in weights(first).items():
        same = torch.allclose(third[key], value, atol=1e-6)
        assert same == (key.startswith("mapper.") or "norm.weight" in key or not float(value.abs().max())), (
            key
        )
    wan["models"] |= {"adapter": str(first), "mapper": None}
    wan["adapter"] |= {"inner": 8}
    with pytest.raises(ConfigError, match=r"adapter\.safetensors has inner 16 \(here: 8\); set adapter\.\*"):
        fit(make_config(wan), progress=False)
    wan["models"] |= {"mapper": str(first)}
    with pytest.raises(ConfigError, match=r"set either models\.mapper or models\.adapter"):
        make_config(wan)


def test_bf16_with_an_adapter_in_float32(wan: dict[str, Any], tmp_path: Path) -> None:
    wan["cache"] |= {"dir": str(tmp_path / "cache")}
    wan["run"] |= {"steps": 2, "batch_size": 1, "precision": "bf16"}
    wan["validation"] = {"every": 2, "loss_clips": 1, "videos": 1, "steps": 1, "guidance_scale": 2.0}
    config = make_config(wan)
    precompute(config, progress=False)
    result = fit(config, progress=False)
    assert {value.dtype for value in weights(result.trained).values()} == {torch.float32}
    assert read_lines(config.output_dir / "metrics.jsonl")[1]["grad_norm"] > 0


def test_what_cannot_be_is_said_before_the_work(wan: dict[str, Any], models: Path, tmp_path: Path) -> None:
    wan["output_dir"], wan["cache"] = str(tmp_path / "other"), {}
    wan["data"] |= {"num_frames": 24}
    with pytest.raises(A2VError, match=r"num_frames is 24: Wan makes videos of 4n\+1 frames, such as 25"):
        precompute(make_config(wan), progress=False)
    assert not (tmp_path / "other").exists()
    wan["data"] |= {"num_frames": 9}
    wan["cache"] = {"use": "never"}
    wan["adapter"] |= {"blocks": [0, 7]}
    with pytest.raises(ConfigError, match=r"adapter: .*blocks are some of 0 to 2"):
        fit(make_config(wan), progress=False)
    wan["adapter"] = {"token_width": 16}
    wan["models"] |= {"t2v": str(models / "t2v")}
    with pytest.raises(ConfigError, match=r"adapter: UNet3D .* has the sound as words in its prompts"):
        fit(make_config(wan), progress=False)


def test_prompts_need_no_audio_words_and_the_log_says_what_is_read(
    wan: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    wan["run"] |= {"steps": 1, "batch_size": 1}
    with caplog.at_level("INFO"):
        fit(make_config(wan), progress=False)
    assert caplog.text.count("prompts have no audio words, 'a video of {audio}' is 'a video'") == 1
    caplog.clear()
    wan["output_dir"] += "-plain"
    wan["data"] |= {"prompt": "a video"}
    with caplog.at_level("INFO"):
        fit(make_config(wan), progress=False)
    assert "audio words" not in caplog.text


def test_the_text_encoder_is_not_loaded_where_the_cache_has_the_texts(
    wan: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wan["run"] |= {"steps": 1, "batch_size": 1}
    parts: Callable[[Config], list[str]] = lambda config: list(Trainer(config).objective.backbone.parts())  # noqa: E731
    assert parts(make_config(wan)) == ["denoiser"]
    wan["cache"] |= {"use": "never"}
    assert parts(make_config(wan)) == ["text", "denoiser"]
