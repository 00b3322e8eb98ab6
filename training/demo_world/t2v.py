"""Trains the demo text-to-video model: a CLIP text encoder and a UNet3D, together and from scratch.

What it learns from is in `captioned.py`.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from a2v_core.backbones.unet3d import denoise
from a2v_core.schedules import NoiseSchedule

from ..parts import PredictionError
from .atlas import Atlas
from .captioned import SCHEDULER, CaptionLoss, encode_captions, mixed, wall_latents
from .fitting import device, fit
from .tokenizer import LENGTH, save_tokenizer
from .world import NUM_FRAMES

TEXT_WIDTH = 128
UNET: dict[str, Any] = {
    "sample_size": 8,
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": ("CrossAttnDownBlock3D", "CrossAttnDownBlock3D"),
    "up_block_types": ("CrossAttnUpBlock3D", "CrossAttnUpBlock3D"),
    "block_out_channels": (48, 96),
    "layers_per_block": 1,
    "cross_attention_dim": TEXT_WIDTH,
    "attention_head_dim": 16,
    "norm_num_groups": 16,
}
INDEX = {
    "_class_name": "TextToVideoSDPipeline",
    "_diffusers_version": "0.42.1",
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet3DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


class TextToVideo(nn.Module):
    """Text encoder and UNet as one module, so that they train and resume together."""

    def __init__(self, tokenizer: Any) -> None:
        from diffusers import UNet3DConditionModel
        from transformers import CLIPTextConfig, CLIPTextModel

        super().__init__()
        config = CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=TEXT_WIDTH,
            intermediate_size=2 * TEXT_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=LENGTH,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
        self.tokenizer = tokenizer
        self.text_encoder = CLIPTextModel(config)
        self.unet = UNet3DConditionModel(**UNET)


def train(work: Path, steps: int = 2700, minutes: float = 0.0) -> None:
    """Fits text encoder and UNet on the latents of `work/t2v/vae` and writes the whole diffusers folder
    `work/t2v`.
    """
    from diffusers import AutoencoderKL, DDIMScheduler

    torch.manual_seed(0)
    folder = work / "t2v"
    vae = AutoencoderKL.from_pretrained(folder / "vae").float().to(device()).eval()
    atlas = Atlas.load(work, vae)
    model = TextToVideo(save_tokenizer(folder / "tokenizer")).to(device())
    prediction = PredictionError(partial(denoise, model.unet), NoiseSchedule(SCHEDULER))
    encode = partial(encode_captions, model.text_encoder, model.tokenizer)
    objective = CaptionLoss(prediction, atlas, wall_latents(vae), encode, seed=2, num_frames=NUM_FRAMES)

    def loss(step: int) -> dict[str, Tensor]:
        model.eval()  # no dropout: a world this regular needs none
        return objective(step, mixed(step, NUM_FRAMES))

    weights = fit("t2v", work, model, loss, steps=steps, learning_rate=1.5e-3, decay=0.996, minutes=minutes)
    model.load_state_dict(weights)
    model.text_encoder.half().save_pretrained(folder / "text_encoder")
    model.unet.half().save_pretrained(folder / "unet")
    DDIMScheduler(**SCHEDULER).save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text(json.dumps(INDEX, indent=2) + "\n")
