"""A mapper of the width of Stable Diffusion 1.5: 768, of CLIP ViT-L."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from a2v_core.audio.features import AudioFeatures
from a2v_core.backbones.clip_unet import CLIPUNet, load_tokenizer
from a2v_core.backbones.unet_motion.backbone import UNetMotionBackbone, spec_of
from a2v_core.comfyui import clip_tokenizer, find_comfyui
from a2v_core.errors import A2VError
from a2v_core.tokens import DEFAULT_PROMPT, AudioMapper, AudioTokens, MapperConfig
from tests.tiny_original import SIZES_OF_CLIP

WIDTH, FRAMES = 768, 16
UNET = {"in_channels": 4, "sample_size": 64, "motion_max_seq_length": 32}
VAE = {"block_out_channels": (128, 256, 512, 512), "scaling_factor": 0.18215}


@pytest.fixture(scope="module")
def backbone() -> CLIPUNet:
    """The real tokenizer and all words of the real text encoder, with one of its twelve layers."""
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    config: dict[str, Any] = {**SIZES_OF_CLIP, "num_hidden_layers": 1}
    encoder = CLIPTextModel(CLIPTextConfig(**config)).eval().requires_grad_(False)
    tokenizer = load_tokenizer(clip_tokenizer(find_comfyui()))
    return UNetMotionBackbone(None, nn.Identity(), encoder, tokenizer, {}, spec_of(UNET, VAE, WIDTH))


def tokens_of(width: int) -> AudioTokens:
    """Of noise in the place of what BEATs hears, by an untrained mapper of the published size."""
    torch.manual_seed(1)
    mapper = AudioMapper(MapperConfig(output_size=width, layout="time_aligned")).eval()
    times = 0.16 * torch.arange(13)
    heard = AudioFeatures(torch.randn(1, 12, 13, 8, 768), times, 2.2, 0.16, torch.zeros(1, 35200))
    with torch.no_grad():
        return mapper.pool(mapper.frame_tokens(heard, FRAMES, 8.0))


@torch.no_grad()
def test_its_words_stand_in_the_prompt(backbone: CLIPUNet) -> None:
    tokens = tokens_of(WIDTH)
    context = backbone.encode_prompt(f"{DEFAULT_PROMPT} a drummer", tokens, FRAMES)
    assert (context.num_frames, tuple(context.states.shape[1:])) == (FRAMES, (77, WIDTH))
    temp = tokens.words["temp"].clone()
    temp[5] = torch.randn(WIDTH)
    other = backbone.encode_prompt(
        f"{DEFAULT_PROMPT} a drummer", AudioTokens({**tokens.words, "temp": temp}, tokens.fps), FRAMES
    )
    change = (other.states[other.index] - context.states[context.index]).abs().amax(dim=(1, 2))
    assert (change > 1e-3).nonzero().tolist() == [[5]]
    assert backbone.spec.token_width == WIDTH
    assert backbone.spec.native_size == (512, 512)


def test_that_of_the_published_mappers_does_not_fit(backbone: CLIPUNet) -> None:
    with pytest.raises(A2VError, match=r"tokens are 1024 wide, but the text encoder .* is 768 wide"):
        backbone.encode_prompt(DEFAULT_PROMPT, tokens_of(1024), FRAMES)
