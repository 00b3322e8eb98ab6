"""Base models compared: what is trained on each, how, and what a run leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from a2v_core.backbones.dit import AudioAdapter
from a2v_core.tokens import AudioMapper
from training.ablate.adapter import count_parameters
from training.ablate.bases import BASE_TABLES, BaseFiles, BaseRecipe, Bases
from training.ablate.bases.measure import settings_of
from training.ablate.bases.models import KINDS
from training.ablate.bases.run import BaseBench
from training.ablate.bases.settings import BaseTest, BaseVariant
from training.ablate.bases.tables import ANIMATEDIFF, BASES, GUIDANCE, UNET3D, WAN
from training.ablate.bases.train import new_adapter
from training.ablate.jobs import Job, finish, finished
from training.errors import ConfigError

RECIPE = BaseRecipe(steps=2, start_steps=2, pool=3, clips=1, sampling_steps=2, batch=2)
WORDS = replace(WAN, route="words")


@pytest.fixture(scope="module")
def bases(base_files: BaseFiles, tmp_path_factory: pytest.TempPathFactory) -> Bases:
    return Bases(base_files, RECIPE, tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def wan(bases: Bases) -> BaseBench:
    return bases.bench("wan")


def jobs_of_rows(bases: Bases, *labels: str) -> list[Job]:
    """The runs of rows of the first table, with one seed."""
    jobs = list(bases.jobs(["bases"], 1))
    assert len(jobs) == len(BASES.rows)
    return [job for job, row in zip(jobs, BASES.rows, strict=True) if row.label in labels]


def test_every_base_gets_a_mapper_of_the_same_sizes(wan: BaseBench, bases: Bases) -> None:
    backbone = wan.models.backbone
    adapters = {}
    for row in BASES.rows:
        if row.variant.base == "wan":
            adapter = new_adapter(backbone, RECIPE, row.variant, 384, seed=0)
            assert isinstance(adapter, AudioAdapter)
            adapters[row.label] = adapter
    blocks = {label: adapter.config.blocks for label, adapter in adapters.items()}
    assert blocks["Wan, frame attention"] == blocks["Wan, after early blocks"] == (0,)  # of 3 layers
    assert blocks["Wan, after every block"] == (0, 1, 2)
    assert adapters["Wan, words in frozen attention"].config.text_width == 4096
    words = new_adapter(bases.bench("unet3d").models.backbone, RECIPE, UNET3D, 384, seed=0)
    assert isinstance(words, AudioMapper)
    for adapter in adapters.values():
        own, theirs = adapter.mapper.config, words.config
        assert (own.hidden_size, own.depth, own.windows) == (256, 4, (1, 2, 4, 8))
        assert (own.hidden_size, own.depth, own.windows) == (theirs.hidden_size, theirs.depth, theirs.windows)
        assert (own.output_size, theirs.output_size) == (128, 32)
    sizes = {label: count_parameters(adapter) for label, adapter in adapters.items()}
    assert sizes["Wan, a bias per frame"] < sizes["Wan, frame attention"] < sizes["Wan, after every block"]


def test_a_step_on_wan_trains_the_adapter_and_nothing_else(wan: BaseBench) -> None:
    denoiser = wan.models.backbone.parts()["denoiser"][0]
    before = {name: value.clone() for name, value in denoiser.state_dict().items()}
    first, same, other = (wan.train(WAN, seed).adapter for seed in (0, 0, 1))
    assert isinstance(first, AudioAdapter)
    assert all(torch.equal(value, before[name]) for name, value in denoiser.state_dict().items())
    out = first.state_dict()["attention.0.out.weight"]
    assert out.abs().max() > 0  # it began at zero
    assert torch.equal(out, same.state_dict()["attention.0.out.weight"])
    assert not torch.equal(out, other.state_dict()["attention.0.out.weight"])
    weight = first.state_dict()["mapper.fc1.weight"]
    untrained = wan.new_adapter(WAN, weight.shape[1], 0).state_dict()["mapper.fc1.weight"]
    assert not torch.equal(weight, untrained)
    assert torch.equal(wan.new_adapter(WAN, weight.shape[1], 0).state_dict()["mapper.fc1.weight"], untrained)


def test_walls_are_latents_without_an_object(wan: BaseBench, bases: Bases) -> None:
    assert {tuple(wall.shape) for wall in wan.walls.values()} == {(16, 7, 8, 8)}
    assert {tuple(wall.shape) for wall in bases.bench("animatediff").walls.values()} == {(4, 1, 8, 8)}
    assert not torch.equal(wan.walls["sand"], wan.walls["navy"])


def test_timesteps_are_those_of_the_noise_that_a_base_knows(wan: BaseBench, bases: Bases) -> None:
    even = KINDS["unet3d"].timesteps(bases.bench("unet3d").models.backbone, RECIPE)
    drawn = even(np.random.default_rng(0), 4000)
    assert 300 <= int(drawn.min()) <= 302
    assert 997 <= int(drawn.max()) <= 999
    flow = KINDS["wan"].timesteps(wan.models.backbone, RECIPE)(np.random.default_rng(0), 4000)
    assert float(flow.median()) == pytest.approx(1000 * 5 / 6, abs=10)  # 0.5, shifted by 5


def test_a_run_leaves_all_columns(bases: Bases) -> None:
    """On every base, and for words in the attention that Wan has."""
    labels = ("UNet3D, words", "AnimateDiff, words", "Wan, frame attention", "Wan, words in frozen attention")
    jobs = jobs_of_rows(bases, *labels)
    assert finish(jobs)
    records = finished(jobs)
    assert [(record["variant"]["base"], record["variant"]["route"]) for record in records] == [
        ("unet3d", "frame_attention"),
        ("animatediff", "frame_attention"),
        ("wan", "frame_attention"),
        ("wan", "words"),
    ]
    for record in records:
        numbers = record["numbers"]
        assert len(numbers["av_align"]) == len(numbers["chance"]) == 1
        assert numbers["text_kept"] in (0.0, 1.0)
        assert numbers["ceiling"] == [1.0]
        assert 0 < numbers["validation_loss"] < 100
        assert numbers["parameters"] > 100_000
        assert 0 < numbers["step_seconds"] <= numbers["seconds"]
        assert numbers["video_seconds"] > 0
        assert record["setup"]["models"] == bases.setup(record["variant"]["base"]).models
    kept = {path: path.stat().st_mtime_ns for path in (bases.work / "adapters").iterdir()}
    assert len(kept) == 4
    # A line that is lost is made again, the same, of the training that was kept.
    path = jobs[0].records
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n")
    assert finish(jobs)
    lost, again = json.loads(lines[-1]), finished(jobs)[-1]
    for record in (lost, again):
        del record["numbers"]["video_seconds"]
    assert lost == again
    assert {path: path.stat().st_mtime_ns for path in (bases.work / "adapters").iterdir()} == kept


def test_another_base_changes_only_its_own_keys(bases: Bases, base_files: BaseFiles, tmp_path: Path) -> None:
    wan = base_files.wan
    other = tmp_path / "vae.safetensors"
    other.write_bytes(wan.vae.read_bytes() + b" ")
    changed = Bases(replace(base_files, wan=wan._replace(vae=other)), RECIPE, bases.work)
    ours, theirs = (list(one.jobs(["bases"], 1)) for one in (bases, changed))
    same = [one.key == two.key for one, two in zip(ours, theirs, strict=True)]
    assert same == [row.variant.base != "wan" for row in BASES.rows]


def test_settings_of_videos() -> None:
    plain = settings_of(RECIPE, WAN, BaseTest(), 3, 25)
    assert (plain.scheduler, plain.guidance_scale, plain.sound_guidance) == ("euler", 3.0, None)
    assert plain.branches == ("negative", "prompt")
    alone = settings_of(RECIPE, WAN, BaseTest(sound_guidance=1.0), 3, 25)
    assert alone.branches == ("negative", "text", "prompt")
    words = settings_of(RECIPE, ANIMATEDIFF, BaseTest(speed="guidance_interval"), 3, 25)
    assert (words.scheduler, words.speed, words.num_frames) == ("dpmpp_2m", "guidance_interval", 25)


def test_guidance_is_compared_on_many_sounds_of_one_training(bases: Bases) -> None:
    assert {row.test.times * BaseRecipe().clips for row in GUIDANCE.rows} == {200}
    assert {(row.variant.base, row.test.speed) for row in GUIDANCE.rows} == {
        (base, speed) for base in KINDS for speed in ("exact", "guidance_interval")
    }
    assert len(list(bases.jobs(["guidance"], 3))) == 6
    assert len(list(bases.jobs(["bases", "guidance"], 3))) == 3 * len(BASES.rows) + 6
    trainings = {row.variant for row in BASES.rows}
    assert {row.variant for row in GUIDANCE.rows} <= trainings


def test_claims_are_about_rows() -> None:
    for table in BASE_TABLES.values():
        labels = [row.label for row in table.rows]
        assert len(set(labels)) == len(labels)
        assert {row for claim in table.claims for row in (claim.more, claim.less)} <= set(labels)
    assert BaseVariant().words == ("temp", "local1", "local2", "local3", "local4", "class")
    assert WORDS in {row.variant for row in BASES.rows}


def test_missing_files_are_named(base_files: BaseFiles) -> None:
    nowhere = base_files.wan._replace(vae=base_files.wan.vae.with_name("none.safetensors"))
    bare = replace(base_files, animatediff=None, wan=nowhere)
    with pytest.raises(ConfigError, match="give its folder as --animatediff"):
        bare.of("animatediff")
    with pytest.raises(ConfigError, match=r"none\.safetensors: no such file.*--wan TRANSFORMER VAE"):
        bare.of("wan")
    assert bare.of("unet3d")
