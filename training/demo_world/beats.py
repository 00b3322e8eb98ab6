"""Trains the demo BEATs (the published architecture, small) to tell which object is hit, and when.

A temporary head on all layers predicts, for each 160 ms step and each of its four quarters, which object is
hit and how high each is, and for each step which objects the sound holds, also where none of them is heard;
the classifier head that ships predicts the latter from the last layer, averaged over all steps. A third of
the sounds are the world's own, half of them with a noise floor; the others are the varied ones of
`varied.py`, some of them mixtures. Every eighth batch has few long clips.

Legend: B sounds, T steps of 160 ms, K classes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from a2v_core.audio import BEATs, BEATsConfig, beats_fbank, resample
from a2v_core.audio.beats import save_beats

from .fitting import device, fit
from .sounds import SAMPLE_RATE, render_sound
from .varied import varied_sound
from .world import FPS, NUM_FRAMES, SHAPES, Actor, Scene, heights_of, random_hits, random_scene

CONFIG = BEATsConfig(
    input_patch_size=16,
    embed_dim=64,
    conv_bias=False,
    encoder_layers=4,
    encoder_embed_dim=128,
    encoder_ffn_embed_dim=256,
    encoder_attention_heads=4,
    deep_norm=True,
    conv_pos=32,
    conv_pos_groups=8,
    num_buckets=64,
    max_distance=200,
    predictor_class=len(SHAPES),
)
QUARTERS = 4  # time resolution of the temporary head within a step
STEP_SECONDS = 0.16
CLIPS = 24
LONG_EVERY = 8  # batches
LONG_FRAMES = 96
WORLD_SHARE = 0.35  # of the sounds are the world's own
MIXTURE_SHARE = 0.3  # of the varied sounds hold a second object
FAINTEST = 0.3  # level of a second object that counts; those that do not are far fainter
HIT_WEIGHT = 8.0  # of the quarters with a hit


class Targets(NamedTuple):
    """What a sound holds: hits and heights [T, quarters, K] and objects [K], in 0..1."""

    hits: Tensor
    heights: Tensor
    objects: Tensor


class BEATsWithHead(nn.Module):
    """BEATs with the temporary head."""

    def __init__(self) -> None:
        super().__init__()
        self.beats = BEATs(CONFIG)
        width = CONFIG.encoder_layers * CONFIG.encoder_embed_dim
        self.head = nn.Linear(width, (2 * QUARTERS + 1) * len(SHAPES))

    def forward(self, fbank: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """fbank [B, rows, 128] -> logits of hits and of heights [B, T, quarters, K], of the objects at every
        step [B, T, K], and of the objects [B, K].
        """
        layers = self.beats(fbank)
        steps = torch.cat(layers, dim=-1).unflatten(1, (-1, CONFIG.frequency_patches)).mean(2)
        rows = self.head(steps).unflatten(-1, (2 * QUARTERS + 1, len(SHAPES)))
        assert self.beats.predictor is not None
        objects = self.beats.predictor(layers[-1]).mean(1)
        return rows[:, :, :QUARTERS], rows[:, :, QUARTERS:-1], rows[:, :, -1], objects


def targets(scene: Scene, heard: tuple[Actor, ...], steps: int) -> Targets:
    """Targets of a scene's object and of those of its others that count."""
    count = steps * QUARTERS
    hits, heights, objects = (torch.zeros(count, len(SHAPES)) for _ in range(3))
    seconds = (np.arange(count) + 0.5) / QUARTERS * STEP_SECONDS
    frames = np.minimum((seconds * FPS).astype(int), scene.num_frames - 1)
    for shape, struck in [(scene.shape, scene.hits), *((actor.shape, actor.hits) for actor in heard)]:
        kind = list(SHAPES).index(shape)
        quarters = [int(hit.time / STEP_SECONDS * QUARTERS) for hit in struck]
        hits[[quarter for quarter in quarters if quarter < count], kind] = 1
        height = torch.from_numpy(heights_of(struck, scene.num_frames)[frames]).float()
        heights[:, kind] = torch.maximum(heights[:, kind], height)
        objects[:, kind] = float(bool(struck))
    grid = (steps, QUARTERS)
    return Targets(hits.unflatten(0, grid), heights.unflatten(0, grid), objects[0])


def example(rng: np.random.Generator, num_frames: int) -> tuple[np.ndarray, Scene, tuple[Actor, ...]]:
    """A sound at a random loudness, its scene, and those of the scene's others that count."""
    scene = random_scene(rng, num_frames=num_frames)
    if rng.random() < WORLD_SHARE:
        floor = float(rng.choice([0.0, 0.0, 0.002, 0.01]))
        return render_sound(scene, rng, floor) * rng.uniform(0.3, 1.2), scene, ()
    heard: tuple[Actor, ...] = ()
    levels: tuple[float, ...] = ()
    if rng.random() < MIXTURE_SHARE:
        shape = str(rng.choice([shape for shape in SHAPES if shape != scene.shape]))
        other = Actor(shape, SHAPES[shape], "left", random_hits(rng, num_frames))
        scene = replace(scene, others=(other,))
        heard = (other,) if rng.random() < 0.7 else ()
        levels = (float(rng.uniform(FAINTEST, 1.0) if heard else rng.uniform(0.01, FAINTEST / 3)),)
    sound = varied_sound(scene, rng, levels)
    return sound * np.exp(rng.uniform(np.log(0.15), np.log(1.2))), scene, heard


def train(work: Path, steps: int = 4500, minutes: float = 0.0) -> None:
    """Fits the encoder and writes `work/beats.safetensors`."""
    torch.manual_seed(0)
    model = BEATsWithHead().to(device())

    def loss(step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([3, step])
        clips, frames = (CLIPS, NUM_FRAMES) if step % LONG_EVERY else (CLIPS // 4, LONG_FRAMES)
        examples = [example(rng, frames) for _ in range(clips)]
        sounds = torch.from_numpy(np.stack([sound for sound, _, _ in examples])).float()
        fbank = beats_fbank(resample(sounds, SAMPLE_RATE, 16000)).to(device())
        hits, heights, at_steps, objects = model(fbank)
        rows = [targets(scene, heard, hits.shape[1]) for _, scene, heard in examples]
        true = Targets(*(torch.stack(parts).to(hits) for parts in zip(*rows, strict=True)))
        cross_entropy = nn.functional.binary_cross_entropy_with_logits
        weight = torch.tensor(HIT_WEIGHT, device=hits.device)
        losses = {
            "hits": cross_entropy(hits, true.hits, pos_weight=weight),
            "heights": cross_entropy(heights, true.heights),
            "at_steps": cross_entropy(at_steps, true.objects[:, None].expand_as(at_steps)),
            "objects": cross_entropy(objects, true.objects),
        }
        return {"loss": torch.stack(list(losses.values())).sum(), **losses}

    weights = fit("beats", work, model, loss, steps=steps, learning_rate=1e-3, decay=0.99, minutes=minutes)
    model.load_state_dict(weights)
    model.beats.labels = tuple(SHAPES)
    save_beats(work / "beats.safetensors", model.beats.half())
