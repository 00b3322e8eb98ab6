"""A whole Wan of some thousand weights, in a diffusers folder laid out like Wan 2.1's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

CHANNELS, TEXT_WIDTH, HEADS, HEAD_DIM, LAYERS, SHIFT = 16, 24, 2, 24, 3, 3.0
TI2V_CHANNELS = 48
WORDS = ["a", "an", "the", "of", "ball", "dog", "red", "blue", "bouncing", "video", "drum"]


def make_tiny_wan(folder: Path, second: bool = False, channels: int = CHANNELS) -> Path:
    """Write the model with random weights from a seed and return its folder; `second`: two denoisers.

    `channels` of the latents: 48 for a model laid out like Wan 2.2 TI2V 5B.
    """
    import diffusers
    from transformers import UMT5Config, UMT5EncoderModel

    torch.manual_seed(0)
    index: dict[str, Any] = {
        "_class_name": "WanPipeline",
        "scheduler": ["diffusers", "UniPCMultistepScheduler"],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "vae": ["diffusers", "AutoencoderKLWan"],
    }
    names = ["transformer"]
    if second:
        names.append("transformer_2")
        index |= {"transformer_2": ["diffusers", "WanTransformer3DModel"], "boundary_ratio": 0.875}
    for name in names:
        tiny_denoiser(channels).save_pretrained(folder / name)
    if channels == TI2V_CHANNELS:
        index |= {"expand_timesteps": True}
    _vae(channels).save_pretrained(folder / "vae")
    tokens = _write_tokenizer(folder / "tokenizer")
    config = UMT5Config(
        vocab_size=tokens,
        d_model=TEXT_WIDTH,
        d_kv=8,
        d_ff=32,
        num_layers=2,
        num_heads=2,
        pad_token_id=0,
        eos_token_id=1,
    )
    UMT5EncoderModel(config).save_pretrained(folder / "text_encoder")
    diffusers.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=SHIFT, num_train_timesteps=1000
    ).save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def tiny_denoiser(channels: int = CHANNELS) -> Any:
    """A WanTransformer3DModel."""
    from diffusers import WanTransformer3DModel

    model = WanTransformer3DModel(
        num_attention_heads=HEADS,
        attention_head_dim=HEAD_DIM,
        in_channels=channels,
        out_channels=channels,
        text_dim=TEXT_WIDTH,
        freq_dim=16,
        ffn_dim=64,
        num_layers=LAYERS,
        rope_max_seq_len=64,
    )
    # As diffusers makes it, text and time hardly count: every weight is as large as another.
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=parameter.shape[-1] ** -0.5)
    return model


def _vae(channels: int) -> Any:
    from diffusers import AutoencoderKLWan

    if channels == TI2V_CHANNELS:
        spread = torch.linspace(-1, 1, channels)
        return AutoencoderKLWan(
            base_dim=4,
            decoder_base_dim=8,
            z_dim=channels,
            num_res_blocks=1,
            temperal_downsample=[False, True, True],
            latents_mean=spread.tolist(),
            latents_std=(1.5 + spread).tolist(),
            is_residual=True,
            in_channels=12,
            out_channels=12,
            patch_size=2,
            scale_factor_spatial=16,
        )
    return AutoencoderKLWan(base_dim=4, z_dim=CHANNELS, num_res_blocks=1)


def _write_tokenizer(folder: Path) -> int:
    """A tokenizer of whole words that ends every text; returns how many tokens it has."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: number for number, word in enumerate(["<pad>", "</s>", "<unk>", *WORDS])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    fast.save_pretrained(folder)
    return len(vocabulary)
