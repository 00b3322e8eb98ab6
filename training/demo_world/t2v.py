"""Trains the demo text-to-video model: a CLIP text encoder and a UNet3D, together and from scratch.

Captions describe a whole clip ("a video of a red ball bouncing"), single pictures ("a video of a red ball
high"), or every frame of a clip, so that the model follows a text per frame. Side and wall are
randomly left out of captions, and a tenth of the captions is empty, for classifier-free guidance.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from a2v_core.backbones.unet3d import denoise
from a2v_core.schedules import NoiseSchedule

from ..parts import PredictionError
from .atlas import Atlas
from .fitting import device, fit
from .tokenizer import LENGTH, save_tokenizer
from .world import NUM_FRAMES, WALLS, Scene, clip_caption, empty_wall, frame_captions, random_scene

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
# The usual 0.012 leaves signal at the last timestep. In a clip of one colour that signal, summed over all
# frames, reveals the colour: the model would read it from the latents instead of the text. Content is decided
# at high noise, where an error hardly changes the predicted noise; v-prediction shows it in full.
SCHEDULER: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.02,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}
OBJECT_WEIGHT = 5.0  # of the object in the loss: it fills a tenth of the picture, but most words describe it
OBJECT_ABOVE = 0.25  # mean difference from the latents of the wall
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


def encode_captions(text_encoder: nn.Module, tokenizer: Any, captions: list[str]) -> Tensor:
    """States [len(captions), L, C]; a caption that occurs twice is encoded once."""
    distinct = list(dict.fromkeys(captions))
    batch = tokenizer(distinct, padding="max_length", max_length=LENGTH, return_tensors="pt")
    states: Tensor = text_encoder(batch.input_ids.to(device())).last_hidden_state
    return states[[distinct.index(caption) for caption in captions]]


@torch.no_grad()
def wall_latents(vae: Any) -> dict[str, Tensor]:
    """Latents [4, h, w] of every wall without an object."""
    pictures = torch.from_numpy(np.stack([empty_wall(name) for name in WALLS])).float().permute(0, 3, 1, 2)
    latents = vae.encode(pictures.to(device()) * 2 - 1).latent_dist.mean * vae.config.scaling_factor
    return dict(zip(WALLS, latents, strict=True))


def object_weight(clean: Tensor, scenes: list[Scene], walls: dict[str, Tensor]) -> Tensor:
    """Weight [B, 1, F, h, w] of every latent pixel in the loss: latents [B, 4, F, h, w] of the scenes."""
    behind = torch.stack([walls[scene.wall] for scene in scenes])[:, :, None]
    objects = (clean - behind).abs().mean(1, keepdim=True) > OBJECT_ABOVE
    return 1 + (OBJECT_WEIGHT - 1) * objects


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
    walls = wall_latents(vae)

    def loss(step: int) -> dict[str, Tensor]:
        model.eval()  # no dropout: a world this regular needs none
        rng = np.random.default_rng([2, step])
        single = step % 3 > 0  # words are learned from many different pictures
        clips, frames = (96, 1) if single else (4, NUM_FRAMES) if step % 2 else (8, NUM_FRAMES // 2)
        latents, captions = [], []
        scenes: list[Scene] = []
        for _ in range(clips):
            scene = random_scene(rng, num_frames=NUM_FRAMES, natural=0.5)
            latent, frame_texts = atlas.latents(scene), frame_captions(scene, rng)
            start = int(rng.integers(NUM_FRAMES - frames + 1))
            latent, frame_texts = latent[:, start : start + frames], frame_texts[start : start + frames]
            chance = rng.random()
            if chance < 0.1:
                frame_texts = [""] * frames
            elif chance < 0.3 and not single:
                frame_texts = [clip_caption(scene, rng)] * frames
            latents.append(latent)
            captions.extend(frame_texts)
            scenes.append(scene)
        clean = torch.stack(latents)
        noise = torch.randn_like(clean)
        t = torch.randint(0, 1000, (clips,), device=clean.device)
        context = encode_captions(model.text_encoder, model.tokenizer, captions).unflatten(0, (clips, frames))
        error = prediction.squared(clean, noise, t, context)
        return {"loss": (error * object_weight(clean, scenes, walls)).mean(), "mse": error.mean()}

    weights = fit("t2v", work, model, loss, steps=steps, learning_rate=1.5e-3, decay=0.996, minutes=minutes)
    model.load_state_dict(weights)
    model.text_encoder.half().save_pretrained(folder / "text_encoder")
    model.unet.half().save_pretrained(folder / "unet")
    DDIMScheduler(**SCHEDULER).save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text(json.dumps(INDEX, indent=2) + "\n")
