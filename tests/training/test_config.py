"""Configs: what is wrong is named, overrides and YAML numbers are read as people write them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from training.config import (
    Config,
    Loss,
    Mapper,
    Optimizer,
    Section,
    check_paths,
    load_config,
    make_config,
    to_yaml,
)
from training.config.reference import reference, section_docs
from training.errors import ConfigError

CONFIGS = Path(__file__).resolve().parents[2] / "training" / "configs"


def write(folder: Path, values: dict[str, Any]) -> Path:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_defaults_are_the_published_training(values: dict[str, Any]) -> None:
    config = make_config(
        {key: values[key] for key in ("output_dir", "models")}
        | {"data": {"layout": "folder", "root": values["data"]["root"]}}
    )
    assert config.optimizer.learning_rate == 1e-5
    assert config.optimizer.betas == [0.9, 0.999]
    assert config.optimizer.weight_decay == 1e-2
    assert config.optimizer.schedule == "constant"
    assert config.optimizer.clip_grad_norm is None
    assert config.loss.l1_weight == 0.01
    assert config.loss.timesteps == "uniform"
    assert config.loss.condition_dropout == 0
    assert (config.data.width, config.data.height, config.data.fps, config.data.num_frames) == (
        384,
        256,
        24,
        24,
    )
    assert config.mapper.layout == "time_aligned"
    assert config.cache_dir == config.output_dir / "cache"


def test_written_config_reads_back(values: dict[str, Any], tmp_path: Path) -> None:
    config = make_config(values)
    path = tmp_path / "again.yaml"
    path.write_text(to_yaml(config))
    assert load_config(path) == config


def test_overrides_and_plain_exponents(values: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path, values)
    path.write_text(path.read_text().replace("learning_rate: 0.001", "learning_rate: 1e-4"))
    config = load_config(path, ["run.steps=7", "mapper.windows=[1, 2]", "loss.min_snr_gamma=5e0", "seed=9"])
    assert config.optimizer.learning_rate == 1e-4
    assert config.run.steps == 7
    assert config.mapper.windows == [1, 2]
    assert config.mapper.words == ("temp", "local1", "local2", "class")
    assert config.loss.min_snr_gamma == 5.0
    assert config.seed == 9


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("run.step=7", "run.step: unknown key; did you mean steps?"),
        ("runn.steps=7", "runn: unknown key; did you mean run?"),
        ("run.steps=many", "run.steps: Input should be a valid integer, got 'many'"),
        ("run.steps=1.5", "run.steps: Input should be a valid integer, got 1.5"),
        ("run.steps='7'", "run.steps: Input should be a valid integer, got '7'"),
        ("run.batch_size=0", "run.batch_size: Input should be greater than or equal to 1, got 0"),
        ("run.precision=fp8", "run.precision: Input should be 'fp32', 'fp16' or 'bf16', got 'fp8'"),
        ("optimizer.learning_rate=-1.0", "optimizer.learning_rate: Input should be greater than 0"),
        ("data.layout=vggsound", "data: layout vggsound needs data.csv"),
        ("adapter.inner=100", "adapter: inner 100 is not divisible by heads 6"),
        ("adapter.blocks=some", "adapter.blocks"),
        ("adapter.route=nose", "adapter.route: Input should be 'frame_attention', 'bias' or 'words'"),
        ("loss.motion_weight=-1.0", "loss.motion_weight: Input should be greater than or equal to 0"),
        ("data.num_frames=1", "data: num_frames / fps is 0.125 s"),
        ("data.width=20", "data.width: Input should be a multiple of 8"),
        ("models.t2v=null", "models.t2v: "),
        ("validation.scheduler=best", "validation: scheduler 'best' is none of"),
        ("validation.away_from=no_sound", "validation.away_from no_sound needs loss.condition_dropout"),
        ("cache.layers=[1]", "cache.layers must hold every layer"),
        ("run", "--set run: expected key=value"),
        ("seed.x=1", "seed is no section but has the value 3"),
        ("run.steps=[", "is not valid YAML"),
    ],
)
def test_wrong_values_are_named(values: dict[str, Any], tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_config(write(tmp_path, values), [override])


def test_all_mistakes_are_said_at_once(values: dict[str, Any], tmp_path: Path) -> None:
    del values["models"]["beats"]
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, values), ["run.stepps=1", "seed=x"])
    for part in ("models.beats: is missing", "run.stepps: unknown key", "seed: ", "config.yaml"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("- a\n", "holds a list"), ("a: [", "not valid YAML"), ("seed: 1\nseed: 2\n", "seed stands twice")],
)
def test_files_that_are_no_config(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(path)
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "other.yaml")


def test_missing_paths_are_named(values: dict[str, Any]) -> None:
    values["models"]["beats"] = "nowhere/beats.pt"
    values["data"]["root"] = "nowhere/clips"
    config = make_config(values)
    check_paths(config, ["models.t2v", "models.mapper"])
    with pytest.raises(ConfigError) as caught:
        check_paths(config, ["models.beats", "models.t2v", "data.root"])
    assert "models.beats: nowhere/beats.pt: no such file" in str(caught.value)
    assert "data.root: nowhere/clips: no such folder" in str(caught.value)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_configs_that_ship_are_valid(path: Path) -> None:
    config = load_config(path)
    assert config.output_dir.name in (path.stem, "my_clips")
    with pytest.raises(ConfigError, match=r"data\.root: data/\w+: no such folder"):
        check_paths(config, ["data.root"])


def test_the_published_config_is_the_published_training() -> None:
    config = load_config(CONFIGS / "published.yaml")
    assert config.mapper == Mapper(layout="reference")
    assert (config.loss, config.optimizer) == (Loss(), Optimizer())
    assert config.audio.hop_ms == 160
    assert not config.averages_frequency
    assert (config.data.width, config.data.height, config.data.clip_seconds) == (384, 256, 1.0)


def test_the_reference_in_the_docs_is_complete_and_current() -> None:
    sections = [Config, *(field.annotation for field in Config.model_fields.values())]
    for section in sections:
        if isinstance(section, type) and issubclass(section, Section):
            own = {
                key
                for key, field in section.model_fields.items()
                if not (isinstance(field.annotation, type) and issubclass(field.annotation, Section))
            }
            assert set(section_docs(section)[1]) == own
    docs = (CONFIGS.parents[1] / "docs" / "training.md").read_text()
    assert reference() in docs
