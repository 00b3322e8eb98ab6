"""Trains the demo BEATs (the published architecture, small) to tell which object is hit, and when.

A temporary head on all layers predicts, for each 160 ms step and each of its four quarters, which object is
hit; the classifier head that ships predicts which objects the whole sound holds. Sounds come with random
loudness and, half of the time, with a noise floor.

Legend: B sounds, T steps of 160 ms, K classes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from a2v_core.audio import BEATs, BEATsConfig, beats_fbank, resample
from a2v_core.audio.beats import save_beats

from .fitting import device, fit
from .sounds import SAMPLE_RATE, render_sound
from .world import NUM_FRAMES, SHAPES, Scene, random_scene

CONFIG = BEATsConfig(
    input_patch_size=16,
    embed_dim=64,
    conv_bias=False,
    encoder_layers=4,
    encoder_embed_dim=96,
    encoder_ffn_embed_dim=192,
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


class BEATsWithHead(nn.Module):
    """BEATs with the temporary head."""

    def __init__(self) -> None:
        super().__init__()
        self.beats = BEATs(CONFIG)
        width = CONFIG.encoder_layers * CONFIG.encoder_embed_dim
        self.head = nn.Linear(width, QUARTERS * len(SHAPES))

    def forward(self, fbank: Tensor) -> tuple[Tensor, Tensor]:
        """fbank [B, rows, 128] -> logits of hits [B, T, quarters, K], logits of objects [B, K]."""
        layers = self.beats(fbank)
        steps = torch.cat(layers, dim=-1).unflatten(1, (-1, CONFIG.frequency_patches)).mean(2)
        hits = self.head(steps).unflatten(-1, (QUARTERS, len(SHAPES)))
        assert self.beats.predictor is not None
        return hits, self.beats.predictor(layers[-1]).mean(1)


def labels(scene: Scene, steps: int) -> tuple[Tensor, Tensor]:
    """Hits [T, quarters, K] and objects [K], 0 or 1."""
    kind = list(SHAPES).index(scene.shape)
    hits = torch.zeros(steps * QUARTERS, len(SHAPES))
    for hit in scene.hits:
        quarter = int(hit.time / STEP_SECONDS * QUARTERS)
        if quarter < len(hits):
            hits[quarter, kind] = 1
    return hits.unflatten(0, (steps, QUARTERS)), hits.amax(0)


def train(work: Path, steps: int = 1500, minutes: float = 0.0) -> None:
    """Fits the encoder and writes `work/beats.safetensors`."""
    torch.manual_seed(0)
    model = BEATsWithHead().to(device())

    def loss(step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([3, step])
        scenes = [random_scene(rng, num_frames=NUM_FRAMES) for _ in range(16)]
        floors = [float(rng.choice([0.0, 0.0, 0.002, 0.01])) for _ in scenes]
        sounds = np.stack(
            [render_sound(s, rng, f) * rng.uniform(0.3, 1.2) for s, f in zip(scenes, floors, strict=True)]
        )
        fbank = beats_fbank(resample(torch.from_numpy(sounds).float(), SAMPLE_RATE, 16000)).to(device())
        hits, objects = model(fbank)
        targets = [labels(scene, hits.shape[1]) for scene in scenes]
        target_hits = torch.stack([target[0] for target in targets]).to(hits)
        target_objects = torch.stack([target[1] for target in targets]).to(hits)
        cross_entropy = nn.functional.binary_cross_entropy_with_logits
        hit_loss = cross_entropy(hits, target_hits, pos_weight=torch.tensor(8.0, device=hits.device))
        object_loss = cross_entropy(objects, target_objects)
        return {"loss": hit_loss + object_loss, "hits": hit_loss, "objects": object_loss}

    weights = fit("beats", work, model, loss, steps=steps, learning_rate=1e-3, decay=0.99, minutes=minutes)
    model.load_state_dict(weights)
    model.beats.labels = tuple(SHAPES)
    save_beats(work / "beats.safetensors", model.beats.half())
