"""AnimateDiff at a tiny size, in one UNet as diffusers' pipeline saves it, and in two parts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.golden_recipe import fill_module
from tests.tiny_t2v import SCHEDULER, TEXT_WIDTH, tiny_text_encoder, tiny_vae, write_json, write_tokenizer

BETAS = {"beta_schedule": "linear"}
LONGEST = 20  # frames that the motion modules have positions for
CHANNELS = (8, 16)


def make_tiny_motion(folder: Path, channels: Sequence[int] = CHANNELS, longest: int = LONGEST) -> Path:
    """Write the model with `AnimateDiffPipeline.save_pretrained` and return its folder."""
    from diffusers import AnimateDiffPipeline, DDIMScheduler
    from transformers import CLIPTokenizer

    vocab_size = write_tokenizer(folder / "tokenizer")
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    shutil.rmtree(folder)
    settings = {key: value for key, value in SCHEDULER.items() if not key.startswith("_")}
    pipeline = AnimateDiffPipeline(
        vae=filled(tiny_vae()),
        text_encoder=filled(tiny_text_encoder(vocab_size)),
        tokenizer=tokenizer,
        unet=filled(tiny_picture_unet(channels)),
        motion_adapter=filled(tiny_adapter(block_out_channels=channels, motion_max_seq_length=longest)),
        scheduler=DDIMScheduler.from_config({**settings, **BETAS}),
    )
    pipeline.save_pretrained(folder)
    return folder


def make_tiny_adapter(folder: Path, channels: Sequence[int] = CHANNELS) -> Path:
    """The same model in two parts: one for pictures, with the folder of a motion adapter in it."""
    make_tiny_motion(folder, channels)
    shutil.rmtree(folder / "unet")
    filled(tiny_picture_unet(channels)).save_pretrained(folder / "unet")
    write_json(folder / "scheduler" / "scheduler_config.json", SCHEDULER)
    return folder


def tiny_picture_unet(channels: Sequence[int] = CHANNELS) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=tuple(channels),
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=4,
    )


def tiny_adapter(**settings: Any) -> Any:
    from diffusers import MotionAdapter

    facts = {"block_out_channels": CHANNELS, "motion_max_seq_length": LONGEST, **settings}
    return MotionAdapter(
        motion_layers_per_block=1, motion_num_attention_heads=2, motion_norm_num_groups=4, **facts
    )


def filled(network: Any) -> Any:
    """The network with recipe weights; position embeddings stay as they are."""
    state = network.state_dict()
    weights = {key: value for key, value in fill_module(state).items() if not key.endswith(".pe")}
    network.load_state_dict({**state, **weights})
    return network.eval()
