"""A short clip of the tiny Wan, its sound, and an audio adapter that makes it heard."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from a2v_core.backbones.dit import AudioAdapter
from a2v_core.backbones.wan import WanBackbone
from a2v_core.prompts import ContextBatch
from a2v_core.sampling import SampleSettings
from a2v_core.tokens import AudioMapper, AudioTokens, MapperConfig
from tests.golden_recipe import recipe
from tests.tiny_adapter import heard, wan_config
from tests.tiny_wan import HEAD_DIM, HEADS, LAYERS

PROMPT, FRAMES, SIDE = "a red ball bouncing", 9, 32
SETTINGS = SampleSettings(3, 4.0, "unipc", seed=6, width=SIDE, height=SIDE, num_frames=FRAMES)
WORDS = ("temp", "class")
TOKEN_WIDTH = 8


def adapter(width: int = HEADS * HEAD_DIM) -> AudioAdapter:
    mapper = AudioMapper(MapperConfig(input_size=4, hidden_size=4, output_size=TOKEN_WIDTH))
    return heard(wan_config(width, LAYERS, TOKEN_WIDTH, kinds=WORDS), mapper)


def tokens_of(frames: int) -> AudioTokens:
    return AudioTokens({word: 20 * recipe(word, (frames, TOKEN_WIDTH)) for word in WORDS}, 16.0)


def predict(wan: WanBackbone, *contexts: Any) -> Tensor:
    x = torch.randn(SETTINGS.grid(wan.spec).shape, generator=torch.Generator().manual_seed(1))
    return wan.denoise(x, torch.tensor(500.0), ContextBatch.of(contexts))
