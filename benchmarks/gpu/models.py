"""Models with random weights that parts share, written once for a run."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import nn

from a2v_core.demo import demo_path
from tests.benchmarks.tiny import TINY

from ..clip import ModelFiles
from ..full_size import FULL
from ..mid_model import model_files, write_models
from .job import Job

WAN: dict[str, Any] = {  # Wan 2.1 1.3B
    "num_attention_heads": 12,
    "attention_head_dim": 128,
    "ffn_dim": 8960,
    "num_layers": 30,
    "text_dim": 4096,
    "qk_norm": "rms_norm_across_heads",
    "cross_attn_norm": True,
}
TINY_WAN = {**WAN, "num_attention_heads": 1, "ffn_dim": 64, "num_layers": 3, "text_dim": 128}
FLOW = {"_class_name": "UniPCMultistepScheduler", "flow_shift": 3.0, "use_flow_sigmas": True}


def full_size(job: Job) -> ModelFiles:
    """A text-to-video model of ModelScope's size in bf16, 3.7 GB, with BEATs and a mapper that fit."""
    folder = job.models / "full"
    if not folder.is_dir():
        part = job.models / f"full.{os.getpid()}"
        dtype = torch.float32 if job.tiny else torch.bfloat16
        write_models(part, TINY if job.tiny else FULL, job.device, dtype)
        _place(part, folder)
    return model_files(folder)


def wan(job: Job) -> Path:
    """A Wan of 1.3B size in bf16, 2.8 GB, with the small text encoder of the bundled Wan and a VAE."""
    from diffusers import AutoencoderKLWan, WanTransformer3DModel

    folder = job.models / "wan"
    if folder.is_dir():
        return folder
    part = job.models / f"wan.{os.getpid()}"
    part.mkdir()
    with torch.device(job.device):
        transformer = WanTransformer3DModel(**(TINY_WAN if job.tiny else WAN))
    fill_zeros(transformer)
    nn.Module.to(transformer, torch.bfloat16)
    transformer.save_pretrained(part / "transformer")
    AutoencoderKLWan(base_dim=4, num_res_blocks=1).save_pretrained(part / "vae")
    for name in ("text_encoder", "tokenizer"):
        shutil.copytree(demo_path("t2v") / name, part / name)
    (part / "scheduler").mkdir()
    (part / "scheduler" / "scheduler_config.json").write_text(json.dumps(FLOW))
    index = {"_class_name": "WanPipeline", "transformer": ["diffusers", "WanTransformer3DModel"]}
    (part / "model_index.json").write_text(json.dumps(index))
    _place(part, folder)
    return folder


@torch.no_grad()
def fill_zeros(network: nn.Module) -> None:
    """Numbers in the place of weights that are zero at the start: products of zeros run faster."""
    for weight in network.parameters():
        if weight.ndim > 1 and not bool(weight.any()):
            nn.init.normal_(weight, std=0.02)


def _place(part: Path, folder: Path) -> None:
    """A folder is whole when it has its name: a part may be ended at any time."""
    part.rename(folder)
