"""Fine-tunes the temporal layers of the demo text-to-video model on whole clips.

After the training on mostly single pictures its videos flicker. Layers that see text are frozen, so an
AudioMapper fits the model before and after.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2v_core.backbones import PARTS, load_t2v, to_device
from a2v_core.prompts import ContextBatch

from ..parts import PredictionError
from .atlas import Atlas
from .captioned import encode_captions
from .fitting import device, fit
from .world import NUM_FRAMES, clip_caption, frame_captions, random_scene

CLIPS = 4
TEMPORAL = ("temp_convs", "temp_attentions", "transformer_in")


def train(work: Path, steps: int = 600, minutes: float = 0.0) -> None:
    """Fits the temporal layers of `work/t2v/unet` and writes it back."""
    from transformers import CLIPTokenizer

    backbone = load_t2v(work / "t2v")
    to_device(backbone, device())
    text_encoder, unet, vae = (backbone.parts()[part][0] for part in PARTS)
    tokenizer: Any = CLIPTokenizer.from_pretrained(work / "t2v" / "tokenizer")
    atlas = Atlas.load(work, vae)
    prediction = PredictionError.of(backbone)
    for name, parameter in unet.named_parameters():
        parameter.requires_grad_(any(part in name for part in TEMPORAL))

    def loss(step: int) -> dict[str, Tensor]:
        unet.eval()  # no dropout, as in t2v
        rng = np.random.default_rng([7, step])
        scenes = [random_scene(rng, num_frames=NUM_FRAMES, natural=0.5) for _ in range(CLIPS)]
        captions: list[str] = []
        for scene in scenes:
            frame_texts = frame_captions(scene, rng)
            chance = rng.random()
            if chance < 0.3:
                frame_texts = ["" if chance < 0.1 else clip_caption(scene, rng)] * NUM_FRAMES
            captions.extend(frame_texts)
        with torch.no_grad():
            context = encode_captions(text_encoder, tokenizer, captions).unflatten(0, (CLIPS, -1))
        clean = torch.stack([atlas.latents(scene) for scene in scenes])
        noise = torch.randn_like(clean)
        t = torch.randint(0, 1000, (CLIPS,), device=clean.device)
        return {"loss": prediction.squared(clean, noise, t, ContextBatch(context)).mean()}

    weights = fit("motion", work, unet, loss, steps=steps, learning_rate=4e-4, decay=0.99, minutes=minutes)
    unet.load_state_dict(weights)
    unet.half().save_pretrained(work / "t2v" / "unet")  # type: ignore[operator]
