"""The start from words, the loss, and the adapters that are compared."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from a2v_core.tokens import AudioMapper
from training.ablate.adapter import LinearMapper, count_parameters, make_adapter
from training.ablate.caches import Clips, ClipStore, Models
from training.ablate.measure import measure, prompt_for
from training.ablate.settings import Recipe, Setup, Test, Variant, run_key, training_key
from training.ablate.tables import BASE, TABLES
from training.ablate.train import (
    fit_to_words,
    learning_rate,
    train,
    training_prompt,
)
from training.demo_world.mapper import frame_word_embeddings
from training.demo_world.world import FPS, NUM_FRAMES, heights

RECIPE = Recipe(steps=2, start_steps=30, pool=12, clips=2, sampling_steps=2)


@pytest.fixture(scope="module")
def frozen(models: Path) -> Models:
    return Models.load(models / "beats.safetensors", models / "t2v")


@pytest.fixture(scope="module")
def pool(frozen: Models, tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return ClipStore(tmp_path_factory.mktemp("pool"), frozen).training("all", RECIPE.pool)


def test_cache_holds_what_the_encoders_say(frozen: Models, pool: Clips, tmp_path: Path) -> None:
    assert pool.latents.shape == (12, 4, NUM_FRAMES, 8, 8)
    steps = {}
    for hop in (160, 80, 40):
        features, times = pool.audio_features("time_aligned", hop)
        assert features.shape[:3] == (12, len(times), 1)
        assert times[1] - times[0] == pytest.approx(hop / 1000)
        steps[hop] = len(times)
    assert steps == {160: 12, 80: 23, 40: 46}
    bands, times = pool.audio_features("reference", 160)
    assert bands.shape[:3] == (12, 12, 8)
    torch.testing.assert_close(
        bands.mean(2, keepdim=True), pool.audio_features("time_aligned", 160)[0], atol=2e-3, rtol=0
    )
    # Read, not made: the encoders are not asked again.
    written = ClipStore(tmp_path, frozen).training("all", 2)
    stamp = next(tmp_path.iterdir()).stat().st_mtime_ns
    again = ClipStore(tmp_path, frozen).training("all", 2)
    assert next(tmp_path.iterdir()).stat().st_mtime_ns == stamp
    assert torch.equal(written.latents, again.latents)


def test_frame_words_are_sums_of_embeddings(frozen: Models, pool: Clips) -> None:
    scene = next(scene for scene, _ in pool.items if scene.hits)
    words = frame_word_embeddings(frozen.backbone, scene)
    assert words.shape == (NUM_FRAMES, frozen.backbone.spec.token_width)
    backbone: Any = frozen.backbone
    table = backbone.text_encoder.get_input_embeddings().weight
    ids = backbone.tokenizer(f"{scene.colour} {scene.shape} still", add_special_tokens=False).input_ids
    rest = int(np.flatnonzero(heights(scene) == 0)[0])
    torch.testing.assert_close(words[rest], table[ids].sum(0))


@pytest.mark.parametrize("variant", [BASE, replace(BASE, layout="reference"), Variant(kind="linear")])
def test_start_from_words_comes_nearer_to_them(frozen: Models, pool: Clips, variant: Variant) -> None:
    features, times = pool.audio_features(variant.layout, variant.hop_ms)
    adapter = make_adapter(variant, features.shape[-1], frozen.backbone.spec.word_width, seed=0)
    scenes = [scene for scene, _ in pool.items]
    wanted = torch.stack([frame_word_embeddings(frozen.backbone, scene) for scene in scenes])

    def error() -> float:
        with torch.no_grad():
            tokens = adapter.map_features(features, times, NUM_FRAMES, FPS)
        return float((tokens - wanted).square().mean())

    before = error()
    fit_to_words(frozen, pool, RECIPE, variant, adapter, seed=0)
    assert error() < 0.8 * before


def test_training_repeats_and_seeds_differ(frozen: Models, pool: Clips) -> None:
    one, same, other = (train(frozen, pool, RECIPE, BASE, seed).adapter for seed in (3, 3, 4))
    first, second, third = (adapter.state_dict()["fc4.weight"] for adapter in (one, same, other))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    start = train(frozen, pool, RECIPE, replace(BASE, share=0.0), 3).adapter
    moved = (start.state_dict()["fc4.weight"] - first).abs().max()
    assert 0 < moved < 0.05


def test_learning_rate_falls_from_the_first_step_on() -> None:
    rate = learning_rate(2.0)
    assert rate.at(0, 101) == pytest.approx(0.2)
    assert rate.at(9, 101) == pytest.approx(2 * (0.505 + 0.495 * math.cos(math.pi * 0.09)))
    assert rate.at(50, 101) == pytest.approx(2 * 0.505)
    assert rate.at(100, 101) == pytest.approx(0.02)


def test_prompts(pool: Clips) -> None:
    rng = np.random.default_rng(0)
    said = [training_prompt(scene, ("temp", "class"), rng) for scene, _ in pool.items for _ in range(9)]
    assert all(text.startswith("a video of ") and text.count("<temp> <class>") == 1 for text in said)
    assert "a video of <temp> <class>" in said
    scene = pool.items[0][0]
    name = f"a {scene.colour} {scene.shape}"
    assert prompt_for(scene, ("temp",), Test("audio")) == "a video of <temp>"
    assert prompt_for(scene, (), Test("text")) == f"a video of {name} bouncing"
    assert prompt_for(scene, ("temp",), Test("text_audio")) == f"a video of {name} <temp>"


def test_adapters_of_the_tables() -> None:
    sizes = {}
    for table in TABLES.values():
        for row in table.rows:
            if row.variant.kind != "none":
                adapter = make_adapter(row.variant, 384, 128, seed=0)
                sizes[row.label] = count_parameters(adapter)
                words = adapter.pool_words(torch.zeros(1, NUM_FRAMES, 128))
                assert tuple(words) == row.variant.words
                assert isinstance(adapter, LinearMapper if row.variant.kind == "linear" else AudioMapper)
    assert sizes["linear, no windows"] == 384 * 128 + 128
    assert sizes["vec."] == sizes["5-res (full)"] == 263_427
    assert sizes["width 64"] < sizes["width 256"] < sizes["width 768"]
    labels = [row.label for table in TABLES.values() for row in table.rows]
    for table in TABLES.values():
        assert {row for claim in table.claims for row in (claim.more, claim.less)} <= set(labels)


def test_text_alone_is_measured_without_adapter(frozen: Models, tmp_path: Path) -> None:
    clips = ClipStore(tmp_path, frozen).held_out("all", 2)
    numbers = measure(frozen, clips, RECIPE, Variant(kind="none"), Test("text"), None, seed=0)
    assert len(numbers["av_align"]) == 2
    assert 0 <= numbers["event_recall"] <= 1
    assert numbers["validation_loss"] > 0


def test_keys() -> None:
    setup = Setup(RECIPE, "models", "sounds")
    longer = replace(setup, recipe=replace(RECIPE, clips=3))
    assert training_key(setup, BASE, 0) == training_key(longer, BASE, 0)
    assert run_key(setup, BASE, Test(), 0) != run_key(longer, BASE, Test(), 0)
    others = [
        training_key(replace(setup, models="others"), BASE, 0),
        training_key(replace(setup, recipe=replace(RECIPE, steps=3)), BASE, 0),
        training_key(setup, replace(BASE, depth=3), 0),
        training_key(setup, BASE, 1),
    ]
    assert len({training_key(setup, BASE, 0), *others}) == 5
