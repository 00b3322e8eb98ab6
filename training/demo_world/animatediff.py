"""Trains a small AnimateDiff beside the demo's UNet3D: another text-to-video model of the same world.

It has the installed VAE of pictures and the installed text encoder, which both stay as they are, so the same
captions and the same words fit it. It is for comparisons (`python -m training.ablate --tables bases`) and
does not ship. Pictures and clips are mixed first, as for the UNet3D; then come clips alone, which calm the
motion.
"""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from a2v_core.backbones import load_t2v, to_device
from a2v_core.demo import demo_path
from a2v_core.schedules import DEFAULT_SCHEDULER

from ..parts import PredictionError
from . import t2v
from .atlas import Atlas
from .captioned import CaptionLoss, KnownTexts, clips_alone, encode_captions, mixed, wall_latents
from .fitting import device, fit

NUM_FRAMES = 25  # of a clip, as the demo's Wan has them
UNET: dict[str, Any] = {
    "sample_size": 8,
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": ("CrossAttnDownBlockMotion", "CrossAttnDownBlockMotion"),
    "up_block_types": ("CrossAttnUpBlockMotion", "CrossAttnUpBlockMotion"),
    "block_out_channels": (48, 96),
    "layers_per_block": 1,
    "cross_attention_dim": t2v.TEXT_WIDTH,
    "num_attention_heads": (3, 6),
    "norm_num_groups": 16,
    "motion_max_seq_length": 32,
    "motion_num_attention_heads": 3,
}
MIXED_SHARE = 0.6  # of the steps, before those of clips alone
INDEX = t2v.INDEX | {"_class_name": "AnimateDiffPipeline", "unet": ["diffusers", "UNetMotionModel"]}


def new_unet() -> Any:
    """An untrained UNetMotionModel."""
    from diffusers import UNetMotionModel

    torch.manual_seed(0)
    return UNetMotionModel(**UNET).to(device())


def train(work: Path, steps: int = 4500, minutes: float = 0.0) -> None:
    """Fits the UNet and writes the diffusers folder `work/animatediff`."""
    from transformers import CLIPTokenizer

    frozen = load_t2v(demo_path("t2v"), parts=("text", "vae"))
    to_device(frozen, device())
    text_encoder, vae = (frozen.parts()[part][0] for part in ("text", "vae"))
    tokenizer: Any = CLIPTokenizer.from_pretrained(demo_path("t2v") / "tokenizer")
    unet = new_unet()

    def predict(x: Tensor, t: Tensor, states: Tensor) -> Tensor:
        velocity: Tensor = unet(x, t, states.flatten(0, 1), return_dict=False)[0]
        return velocity

    texts = KnownTexts(partial(encode_captions, text_encoder, tokenizer))
    objective = CaptionLoss(
        PredictionError(predict, frozen.schedule(DEFAULT_SCHEDULER, 1, 0)),
        Atlas.load(work, vae),
        wall_latents(vae),
        texts.states,
        seed=17,
        num_frames=NUM_FRAMES,
    )

    def loss(step: int) -> dict[str, Tensor]:
        size = mixed(step, NUM_FRAMES) if step < MIXED_SHARE * steps else clips_alone(step, NUM_FRAMES)
        return objective(step, size)

    weights = fit(
        "animatediff", work, unet, loss, steps=steps, learning_rate=1.5e-3, decay=0.998, minutes=minutes
    )
    unet.load_state_dict(weights)
    write(work / "animatediff", unet)


def write(folder: Path, unet: Any) -> None:
    """The UNet in half precision, with all else of the installed model, as AnimateDiffPipeline's folder."""
    shutil.copytree(demo_path("t2v"), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("unet"))
    unet.half().save_pretrained(folder / "unet")
    (folder / "model_index.json").write_text(json.dumps(INDEX, indent=2) + "\n")
