"""The stage benchmark measures the whole way from a sound file to an mp4, at sizes that take no time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import Module

from a2v_core.audio import BEATs, BEATsConfig, load_audio
from a2v_core.media import probe_video, read_video
from a2v_core.tokens import AudioMapper, MapperConfig, save_mapper
from benchmarks.clip import STAGES, Job, Laps, ModelFiles, load_models, make_clip
from benchmarks.mid_model import MID, write_models
from benchmarks.stages import as_text, main, measure, write_sound
from tests.benchmarks.tiny import TEXT_WIDTH, TINY


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    return write_models(tmp_path_factory.mktemp("models") / "tiny", TINY)


def arguments(files: ModelFiles, *more: str) -> list[str]:
    own = ("--beats", str(files.beats), "--mapper", str(files.mapper), "--t2v", str(files.t2v))
    return [*own, "--frames", "5", "--steps", "2", "--size", "16", "--runs", "2", *more]


def test_laps_add_up() -> None:
    clock = map(float, (10, 11, 14, 20))
    laps = Laps(lambda: next(clock))
    for name in ("a", "b", "c"):
        laps.lap(name)
    assert laps.seconds == {"a": 1.0, "b": 3.0, "c": 6.0}
    assert laps.total == 10.0


def test_command_as_json(files: ModelFiles, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(files, "--json")) == 0
    facts: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert set(facts) == {
        "model",
        "machine",
        "parameters",
        "job",
        "loading",
        "runs",
        "stages",
        "total",
        "seconds_per_step",
        "memory_bytes",
    }
    assert list(facts["stages"]) == list(STAGES)
    assert facts["model"] == "own"
    assert facts["machine"]["threads"] == torch.get_num_threads()
    assert set(facts["parameters"]) == {"BEATs", "AudioMapper", "text encoder", "UNet", "VAE"}
    assert {"num_frames": 5, "steps": 2, "size": 16, "fps": 12.0}.items() <= facts["job"].items()
    assert facts["job"]["seconds"] == pytest.approx(5 / 12)
    assert len(facts["runs"]) == 2
    for run in facts["runs"]:
        assert sum(run[stage] for stage in STAGES) == pytest.approx(run["total"])
        assert all(run[stage] > 0 for stage in STAGES)
    for name, spread in (facts["stages"] | {"total": facts["total"]}).items():
        measured = sorted(run[name] for run in facts["runs"])
        assert (spread["min"], spread["max"]) == (measured[0], measured[1])
        assert spread["median"] == pytest.approx(sum(measured) / 2)
    loading = facts["loading"]
    assert sum(seconds for name, seconds in loading.items() if name != "total") == pytest.approx(
        loading["total"]
    )
    assert 0 < facts["memory_bytes"]["loaded"] <= facts["memory_bytes"]["peak"]


def test_command_as_text(files: ModelFiles, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(files)) == 0
    text = capsys.readouterr().out
    assert "5 frames of 16 x 16 at 12 fps (0.42 s), 2 steps dpmpp_2m, cfg 3" in text
    assert "seconds of 2 runs" in text
    assert [line.split("  ")[0] for line in text.splitlines() if line.startswith(STAGES)] == list(STAGES)


def test_the_size_is_that_of_the_model(files: ModelFiles) -> None:
    facts = measure(files, runs=1, num_frames=3, steps=1)
    assert facts["job"]["size"] == 16  # 2 latent pixels of 8
    assert "3 frames of 16 x 16" in as_text(facts)


def test_a_missing_model_is_named(files: ModelFiles, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ModelFiles(files.beats, files.mapper, files.t2v / "nowhere")
    assert main(arguments(wrong, "--json")) == 1
    printed = capsys.readouterr()
    assert "nowhere" in json.loads(printed.out)["error"]
    assert "nowhere" in printed.err


def test_clip_has_the_frames_and_the_sound(files: ModelFiles, tmp_path: Path) -> None:
    models, _ = load_models(files)
    job = Job(16, num_frames=6, steps=1)
    laps = make_clip(models, job, write_sound(tmp_path / "sound.wav", job.seconds), tmp_path / "clip.mp4")
    assert tuple(laps.seconds) == STAGES
    info = probe_video(tmp_path / "clip.mp4")
    assert (info.fps, info.width, info.height, info.has_audio) == (12.0, 16, 16, True)
    assert len(read_video(tmp_path / "clip.mp4").frames) == 6


def test_sound_is_encoded_at_the_hop_of_the_mapper(files: ModelFiles, tmp_path: Path) -> None:
    """A finer hop reaches BEATs: four encodings of the sound instead of one."""
    config = MapperConfig(
        input_size=3 * 32, hidden_size=16, output_size=TEXT_WIDTH, layout="time_aligned", facts={"hop_ms": 40}
    )
    save_mapper(tmp_path / "fine.safetensors", AudioMapper(config))
    models, _ = load_models(ModelFiles(files.beats, tmp_path / "fine.safetensors", files.t2v))
    seen: list[int] = []

    def note(module: Module, args: tuple[Tensor]) -> None:
        seen.append(args[0].shape[1])

    handle = models.beats.register_forward_pre_hook(note)
    job = Job(16, num_frames=6, steps=1, guidance_scale=1.0)
    make_clip(models, job, write_sound(tmp_path / "sound.wav", job.seconds), tmp_path / "clip.mp4")
    handle.remove()
    assert seen == [48, 44, 40, 36]  # spectrogram rows of half a second, from 0, 40, 80 and 120 ms on


def test_sound_is_stereo_and_as_long_as_the_clip(tmp_path: Path) -> None:
    sound = load_audio(write_sound(tmp_path / "sound.wav", 0.75))
    assert sound.samples.shape == (2, round(0.75 * 44100))
    assert 0.1 < float(sound.samples.abs().max()) <= 1


def test_mid_size_model_has_the_sizes_that_are_said() -> None:
    """BEATs and mapper as published, a UNet of about 100 million parameters."""
    from diffusers import UNet3DConditionModel

    with torch.device("meta"):
        beats, mapper = BEATs(BEATsConfig.from_cfg(MID.beats)), AudioMapper(MID.mapper)
        unet = UNet3DConditionModel(**MID.unet)
    sizes = [sum(p.numel() for p in module.parameters()) for module in (beats, mapper, unet)]
    assert sizes == [90_717_055, 33_106_435, 94_932_884]
    assert MID.mapper.output_size == MID.text_encoder["hidden_size"] == MID.unet["cross_attention_dim"]
