"""What BEATs hears in the sounds of the scenes, encoded once.

Legend: N clips, T audio steps, L layers, D width.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from a2v_core.audio import encode_audio, load_beats
from a2v_core.checkpoints import read_checkpoint, write_safetensors
from a2v_core.tokens import stack_layers

from ..fitting import device
from ..mapper import HOP_DIVISOR, pool_sound
from ..sounds import SAMPLE_RATE
from .latents import pool_scene

AT_ONCE = 50  # sounds


def features(work: Path, beats_file: Path, count: int) -> dict[str, Tensor]:
    """Of the first `count` clips, frequency averaged: {"features": [count, T, 1, L*D], "times": [T]}.

    Kept in `work` for this BEATs and this count.
    """
    content = hashlib.sha256(beats_file.read_bytes()).hexdigest()[:8]
    path = work / f"sounds_{content}_{count}.safetensors"
    if not path.exists():
        beats = load_beats(beats_file).to(device())
        rows, times = [], torch.empty(0)
        for start in range(0, count, AT_ONCE):
            numbers = range(start, min(count, start + AT_ONCE))
            samples = torch.from_numpy(np.stack([sound(number) for number in numbers])).float()[:, None]
            heard = encode_audio(beats, samples, SAMPLE_RATE, HOP_DIVISOR)
            rows.append(stack_layers(heard.layers.mean(dim=3, keepdim=True), ()))
            times = heard.times
        write_safetensors(path, {"features": torch.cat(rows), "times": times}, {})
    return {name: value.to(device()) for name, value in read_checkpoint(path).tensors.items()}


def sound(number: int) -> np.ndarray:
    """The sound of a clip, the world's own or varied, as the AudioMapper of the demo hears them."""
    return pool_sound(*pool_scene(number))
