"""Trains the denoiser of the demo's Wan by flow matching.

It is trained on text as wide as that of the demo's text encoder, and gets Wan's width when it is exported:
what it would multiply zeros with is zero.

Legend: B clips, c latent channels, f latent frames, h w latent size.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2v_core.schedules import FlowSchedule

from ...parts import PredictionError
from ..fitting import device, fit
from ..t2v import TEXT_WIDTH
from .captions import Texts, caption
from .latents import Latents, pool_scene

CONFIG: dict[str, Any] = {
    "num_attention_heads": 1,
    "attention_head_dim": 192,
    "ffn_dim": 768,
    "num_layers": 7,
    "text_dim": TEXT_WIDTH,
    "cross_attn_norm": True,
    "qk_norm": "rms_norm_across_heads",
    "rope_max_seq_len": 64,
}
BATCH = 8
SCENES = 1_000_000  # there are that many
SHIFT = 3.0  # of the timesteps towards noise, where a clip's content is decided
STEADY = 1.0  # weight of the error's change from a latent frame to the next: what trembles at rest


def timesteps(count: int, shift: float) -> Tensor:
    """Logit-normal timesteps with a shift, [count] in 0..1000 (arXiv 2403.03206)."""
    return timesteps_of(torch.randn(count), shift)


def timesteps_of(normal: Tensor, shift: float) -> Tensor:
    """The timesteps of standard normal numbers."""
    level = normal.sigmoid()
    return 1000 * shift * level / (1 + (shift - 1) * level)


def new_denoiser() -> Any:
    """An untrained WanTransformer3DModel."""
    from diffusers import WanTransformer3DModel

    torch.manual_seed(0)
    return WanTransformer3DModel(**CONFIG).to(device())


def flow_of(denoiser: Any) -> PredictionError:
    """Prediction error of a denoiser at text states [B, L, C]."""

    def predict(x: Tensor, t: Tensor, states: Tensor) -> Tensor:
        flow: Tensor = denoiser(x, t, states, return_dict=False)[0]
        return flow

    return PredictionError(predict, FlowSchedule())


def losses(error: Tensor, weight: Tensor) -> dict[str, Tensor]:
    """The loss of a signed error [B, c, f, h, w] under weights [B, 1, f, h, w], and its terms."""
    weighted = (weight * error.square()).mean()
    steady = (weight[:, :, 1:] * error.diff(dim=2).square()).mean()
    total = weighted + STEADY * steady
    return {"loss": total, "mse": error.square().mean(), "weighted": weighted, "steady": steady}


def train(work: Path, steps: int = 14_000, minutes: float = 0.0) -> None:
    """Fits the denoiser and writes it to `work/transformer`, in the diffusers layout and float32."""
    denoiser = new_denoiser()
    latents, texts = Latents.load(work), Texts()
    prediction = flow_of(denoiser)

    def loss(step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([13, step])
        scenes = [pool_scene(int(number))[0] for number in rng.integers(SCENES, size=BATCH)]
        clean = torch.stack([latents.of(scene) for scene in scenes])
        states = texts.states([caption(scene, rng) for scene in scenes])
        t = timesteps(BATCH, SHIFT).to(clean)
        error = prediction.signed(clean, torch.randn_like(clean), t, states)
        return losses(error, latents.weight(clean, scenes))

    weights = fit("wan", work, denoiser, loss, steps=steps, learning_rate=1e-3, decay=0.999, minutes=minutes)
    denoiser.load_state_dict(weights)
    denoiser.save_pretrained(work / "transformer")
