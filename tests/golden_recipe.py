"""Weights and inputs that anyone can regenerate: a tensor is a function of its name, shape and a seed.

The golden values in `tests/golden` were computed by the published code on exactly these tensors.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

GOLDEN = Path(__file__).resolve().parent / "golden"

_SHARED_BIAS = re.compile(r"encoder\.layers\.\d+\.self_attn\.relative_attention_bias\.weight")
_SHARED_BIAS_KEY = "encoder.layers.0.self_attn.relative_attention_bias.weight"


def recipe(key: str, shape: Sequence[int], seed: int = 0) -> Tensor:
    """The float32 tensor called `key`: norm scales near 1, biases near 0, else rows of norm about 1."""
    generator = np.random.Generator(np.random.PCG64([seed, zlib.crc32(key.encode())]))
    noise = generator.standard_normal(tuple(shape), dtype=np.float32)
    leaf = key.rsplit(".", 1)[-1]
    if leaf in ("weight_g", "grep_a") or (leaf == "weight" and len(shape) == 1):
        noise = 1 + 0.02 * noise
    elif len(shape) < 2:
        noise = 0.02 * noise
    else:
        noise = noise / math.sqrt(math.prod(shape[1:]))
    return torch.from_numpy(np.asarray(noise, dtype=np.float32))


def fill_module(layout: Mapping[str, Sequence[int] | Tensor], seed: int = 0) -> dict[str, Tensor]:
    """A state dict for `layout`: key -> shape, or key -> tensor of that shape (`module.state_dict()`).

    BEATs stores one copy per layer of its only relative-attention-bias table: every copy goes by the key of
    the first layer.
    """
    filled = {}
    for key, value in layout.items():
        shape = tuple(value.shape) if isinstance(value, Tensor) else tuple(value)
        name = _SHARED_BIAS_KEY if _SHARED_BIAS.fullmatch(key) else key
        filled[key] = recipe(name, shape, seed)
    return filled
