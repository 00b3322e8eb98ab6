"""The models that ship: size, official layouts, and pictures that react to sounds never heard before."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from a2v_core.demo import demo_path
from a2v_core.errors import A2VError
from a2v_core.tokens import load_mapper
from training.demo_world.demo import Demo
from training.demo_world.evaluate import evaluate
from training.demo_world.sounds import render_sound
from training.demo_world.world import FPS, SHAPES, Scene, random_hits

LIMIT = 30 * 10**6


def test_size_and_files() -> None:
    files = [
        path
        for path in demo_path("t2v").parent.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert sum(path.stat().st_size for path in files) <= LIMIT
    names = {
        path.relative_to(demo_path("t2v")).as_posix() for path in files if demo_path("t2v") in path.parents
    }
    assert {
        "model_index.json",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "tokenizer/merges.txt",
        "tokenizer/vocab.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    } <= names
    assert len(list(demo_path("sounds").glob("*.wav"))) == len(SHAPES)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(A2VError, match="not copied whole"):
        demo_path("sounds/none.wav")


def test_mapper_says_what_it_was_trained_for() -> None:
    config = load_mapper(demo_path("mapper")).config
    assert (config.layout, config.base_model) == ("time_aligned", "demo")
    assert config.facts["hop_ms"] == 80
    assert config.facts["fps"] == FPS


def test_pictures_react_to_sounds_never_seen() -> None:
    numbers = evaluate(4, audio_only=True)
    assert numbers["ground_truth_av_align"] >= 0.9
    assert numbers["av_align"] > numbers["chance"] + 0.1
    assert numbers["event_recall"] >= 0.5
    assert numbers["object_accuracy"] >= 0.75


def test_a_longer_sound_makes_a_longer_video() -> None:
    rng = np.random.default_rng(77)
    scene = Scene("ball", "red", "grey", "centre", 3.0, random_hits(rng, 36, silence=0.0))
    frames = Demo(steps=4).video("a video of <temp> <class>", render_sound(scene, rng), 36, seed=1)
    assert frames.shape == (36, 64, 64, 3)
    assert torch.isfinite(frames).all()
    assert frames.std() > 0.02
