"""Trains the audio adapter of the demo's Wan: AudioMapper and frame attention, on the frozen denoiser.

Legend: B clips, c latent channels, F video frames, f latent frames, h w latent size.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from a2v_core.backbones import BackboneSpec, BlockStack
from a2v_core.backbones.dit import AdapterConfig, AudioAdapter, save_adapter
from a2v_core.backbones.wan import WanBackbone
from a2v_core.demo import demo_path
from a2v_core.tokens import AudioMapper, MapperConfig

from ...parts import PredictionError
from ..fitting import device, fit
from ..mapper import HOP_DIVISOR
from ..world import FPS
from . import t2v
from .captions import Texts, beside_sound
from .latents import NUM_FRAMES, Latents, pool_scene
from .sounds import features

BASE = "a2v_demo_wan"
SPEC = BackboneSpec("Wan", 16, 8, 16, NUM_FRAMES, (64, 64), None, "Wan21", time=4, first_alone=True)
TOKEN_WIDTH, INNER, HEADS = 128, 64, 4
SHIFT = 8.0  # of the timesteps towards noise, where motion is decided
SOUNDS = 3000  # that are encoded once
WITHOUT_SOUND = 0.1  # share of the clips whose gate is 0


def new_adapter(input_size: int) -> AudioAdapter:
    """An untrained adapter for features of a width."""
    torch.manual_seed(0)
    facts = {"data": "demo world", "hop_ms": 160 // HOP_DIVISOR, "fps": FPS}
    width = t2v.CONFIG["num_attention_heads"] * t2v.CONFIG["attention_head_dim"]
    config = AdapterConfig.for_model(
        SPEC,
        BlockStack(t2v.CONFIG["num_layers"], width, t2v.CONFIG["text_dim"]),
        "all",
        base_model=BASE,
        token_width=TOKEN_WIDTH,
        inner=INNER,
        heads=HEADS,
        facts=facts | {"without_sound": WITHOUT_SOUND, "shift": SHIFT},
    )
    mapper = MapperConfig(
        input_size=input_size,
        hidden_size=256,
        output_size=TOKEN_WIDTH,
        layout="time_aligned",
        base_model=BASE,
        facts=facts,
    )
    return AudioAdapter(config, AudioMapper(mapper))


def train(work: Path, steps: int = 4000, minutes: float = 0.0) -> None:
    """Fits the adapter on `work/transformer` and writes `work/adapter.safetensors`."""
    from diffusers import WanTransformer3DModel

    denoiser = WanTransformer3DModel.from_pretrained(work / "transformer").to(device()).eval()
    latents, texts = Latents.load(work), Texts()
    heard = features(work, demo_path("beats"), SOUNDS)
    adapter = new_adapter(heard["features"].shape[-1]).to(device())
    backbone = WanBackbone(
        (denoiser.requires_grad_(False),), None, texts.encoder, texts.tokenizer, SPEC, adapter=adapter
    )
    prediction = PredictionError(backbone.denoise, backbone.schedule("euler"))

    def loss(step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([14, step])
        chosen = torch.from_numpy(rng.integers(SOUNDS, size=t2v.BATCH))
        scenes = [pool_scene(number)[0] for number in chosen.tolist()]
        clean = torch.stack([latents.of(scene) for scene in scenes])
        states = texts.states([beside_sound(scene, rng) for scene in scenes])
        words = adapter.mapper(heard["features"][chosen], heard["times"], NUM_FRAMES, FPS)
        gate = (torch.rand(t2v.BATCH, 1) >= WITHOUT_SOUND).to(clean)
        context = backbone.context_of(states, words, gate)
        t = t2v.timesteps(t2v.BATCH, SHIFT).to(clean)
        error = prediction.signed(clean, torch.randn_like(clean), t, context)
        return t2v.losses(error, latents.weight(clean, scenes))

    weights = fit("adapter", work, adapter, loss, steps=steps, learning_rate=1e-3, minutes=minutes)
    adapter.load_state_dict(weights)
    save_adapter(work / "adapter.safetensors", adapter.half())
