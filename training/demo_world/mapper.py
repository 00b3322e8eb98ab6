"""Trains the demo AudioMapper on the frozen demo text-to-video model: the adapter that the paper is about.

Warm start from words: `<temp>` is first fitted to the sum of the embeddings of the words that name colour,
shape and height in that frame. Then comes the published loss, the model's own prediction error plus a
weight times the mean magnitude of the `<temp>` tokens. The weight is far below the published 0.01: in this
easy world the first term is small, and at 0.01 the second would outweigh it and the adapter would collapse.
The object weighs more than the wall behind it, and half of the batches are short crops of many clips.
Timesteps are drawn from the high-noise part, where motion is decided. Part of the sounds are the world's own,
the others those of `varied.py`.

Legend: B clips, T audio steps, Q frequency patches, F frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from a2v_core.audio import encode_audio, load_beats
from a2v_core.backbones import Backbone, WordEmbeddings, load_t2v, require, to_device
from a2v_core.checkpoints import read_checkpoint, write_safetensors
from a2v_core.tokens import AudioMapper, MapperConfig, save_mapper, stack_layers

from ..parts import PredictionError, temp_l1
from .atlas import Atlas
from .beats import FAINTEST
from .captioned import object_weight, wall_latents
from .fitting import device, fit
from .sounds import SAMPLE_RATE, render_sound
from .t2v import TEXT_WIDTH
from .varied import varied_sound
from .world import (
    FPS,
    NUM_FRAMES,
    SHAPES,
    Actor,
    Scene,
    heights,
    level_word,
    random_hits,
    random_scene,
)

HOP_DIVISOR = 2  # a step every 80 ms, about one per frame
L1_WEIGHT = 1e-5
LOWEST_TIMESTEP = 300
POOL = 3000  # scenes whose sounds are encoded once
WORLD_SHARE = 0.4  # of the sounds are the world's own, the others varied
FAINT_SHARE = 0.15  # of the varied sounds have a faint second object, which moves nothing
WORDS = "<temp> <local1> <local2> <local3> <local4> <class>"


def prompt(scene: Scene, rng: np.random.Generator) -> str:
    """Audio words alone or mixed with text; a colour that is not the object's own is always named."""
    colour = [scene.colour] if scene.colour != SHAPES[scene.shape] or rng.random() < 0.1 else []
    side = ["on the", scene.side] if rng.random() < 0.25 else []
    wall = ["on", scene.wall] if rng.random() < 0.25 else []
    return " ".join(["a video of", *(["a"] if colour else []), *colour, WORDS, *side, *wall])


def pool_scene(number: int) -> tuple[Scene, np.random.Generator]:
    """Scene `number` of the pool and the generator from which its sound is drawn next."""
    rng = np.random.default_rng([4, number])
    return random_scene(rng, num_frames=NUM_FRAMES, natural=0.75), rng


def pool_sound(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """A sound of a scene of the pool at a random loudness, float32 [N] at `SAMPLE_RATE`."""
    if rng.random() < WORLD_SHARE:
        return render_sound(scene, rng, 0.002 if rng.random() < 0.25 else 0.0) * rng.uniform(0.5, 1.0)
    levels: tuple[float, ...] = ()
    if rng.random() < FAINT_SHARE:
        shape = str(rng.choice(list(SHAPES)))
        hits = random_hits(rng, scene.num_frames)
        scene = replace(scene, others=(Actor(shape, SHAPES[shape], "left", hits, visible=False),))
        levels = (float(rng.uniform(0.01, FAINTEST / 3)),)
    return varied_sound(scene, rng, levels) * rng.uniform(0.3, 1.0)


def encode_pool(work: Path, count: int) -> dict[str, Tensor]:
    """Features of the first sounds of the pool, frequency averaged: {"features": [count, T, 1, L*D], "times":
    [T]}.
    """
    path = work / "pool.safetensors"
    if not path.exists():
        beats = load_beats(work / "beats.safetensors").to(device())
        rows, times = [], torch.empty(0)
        for start in range(0, count, 50):
            sounds = [pool_sound(*pool_scene(number)) for number in range(start, min(start + 50, count))]
            samples = torch.from_numpy(np.stack(sounds)).float()[:, None]
            features = encode_audio(beats, samples, SAMPLE_RATE, HOP_DIVISOR)
            rows.append(stack_layers(features.layers.mean(dim=3, keepdim=True), ()))
            times = features.times
        write_safetensors(path, {"features": torch.cat(rows), "times": times}, {})
    return {name: value.to(device()) for name, value in read_checkpoint(path).tensors.items()}


def frame_word_embeddings(backbone: Backbone, scene: Scene) -> Tensor:
    """Sum of the embeddings of colour, shape and height word for each frame, [F, D]."""
    embeddings = require(backbone, WordEmbeddings, "the start from words")
    levels = [level_word(float(height)) for height in heights(scene)]
    sums = {
        level: embeddings.word_embeddings([scene.colour, scene.shape, level]).sum(0) for level in set(levels)
    }
    return torch.stack([sums[level] for level in levels])


def word_targets(backbone: Backbone, scenes: Sequence[Scene]) -> tuple[Tensor, Tensor]:
    """Targets of the warm start: rows of the scenes with hits and an object in its own colour, [n], and their
    `frame_word_embeddings` [n, F, D].
    """
    rows = [n for n, scene in enumerate(scenes) if scene.hits and scene.colour == SHAPES[scene.shape]]
    return torch.tensor(rows), torch.stack([frame_word_embeddings(backbone, scenes[n]) for n in rows])


def fit_to_words(
    work: Path, mapper: AudioMapper, pool: dict[str, Tensor], backbone: Backbone, steps: int
) -> None:
    """Fits the `<temp>` tokens of scenes of the pool to `word_targets`."""
    rows, targets = word_targets(backbone, [pool_scene(number)[0] for number in range(len(pool["features"]))])

    def loss(step: int) -> dict[str, Tensor]:
        chosen = torch.randint(len(rows), (48,))
        features = pool["features"][rows[chosen]]
        tokens = mapper(features, pool["times"], NUM_FRAMES, FPS)["temp"]
        return {"loss": nn.functional.mse_loss(tokens, targets[chosen.to(targets.device)]) / targets.var()}

    mapper.load_state_dict(
        fit("mapper_words", work, mapper, loss, steps=steps, learning_rate=1e-3, decay=0.99)
    )


def train(
    work: Path, steps: int = 1000, minutes: float = 0.0, sounds: int = POOL, word_steps: int = 2500
) -> None:
    """Fits the adapter and writes `work/mapper.safetensors`.

    sounds      of the pool
    word_steps  of the start from words, which `minutes` does not end
    """
    torch.manual_seed(0)
    backbone = load_t2v(work / "t2v")
    to_device(backbone, device())
    (vae,) = backbone.parts()["vae"]
    atlas, pool, walls = Atlas.load(work, vae), encode_pool(work, sounds), wall_latents(vae)
    prediction = PredictionError.of(backbone)
    config = MapperConfig(
        input_size=pool["features"].shape[-1],
        hidden_size=256,
        output_size=TEXT_WIDTH,
        layout="time_aligned",
        base_model="demo",
        facts={"data": "demo world", "hop_ms": 160 // HOP_DIVISOR, "fps": FPS, "l1_weight": L1_WEIGHT},
    )
    mapper = AudioMapper(config).to(device())
    fit_to_words(work, mapper, pool, backbone, word_steps)

    def loss(step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([5, step])
        clips, frames = (4, NUM_FRAMES) if step % 2 else (16, NUM_FRAMES // 4)
        start = int(rng.integers(NUM_FRAMES - frames + 1))
        chosen = rng.integers(sounds, size=clips)
        scenes = [pool_scene(int(number))[0] for number in chosen]
        clean = torch.stack([atlas.latents(scene)[:, start : start + frames] for scene in scenes])
        noise = torch.randn_like(clean)
        t = torch.randint(LOWEST_TIMESTEP, 1000, (len(scenes),), device=clean.device)
        words = mapper(pool["features"][torch.from_numpy(chosen)], pool["times"], NUM_FRAMES, FPS)
        tokens = {word: piece[:, start : start + frames] for word, piece in words.items()}
        context = backbone.encode_texts([prompt(scene, rng) for scene in scenes], tokens)
        error = prediction.squared(clean, noise, t, context)
        weighted = (error * object_weight(clean, scenes, walls)).mean()
        l1 = temp_l1(words["temp"]).mean()
        return {"loss": weighted + L1_WEIGHT * l1, "mse": error.mean(), "temp_l1": l1}

    weights = fit("mapper", work, mapper, loss, steps=steps, learning_rate=5e-4, decay=0.99, minutes=minutes)
    mapper.load_state_dict(weights)
    save_mapper(work / "mapper.safetensors", mapper.half())
