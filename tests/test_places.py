"""The one table of kinds of model file: what is recognised, and what it says to whoever asks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel, UNet3DConditionModel
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    T5Config,
    T5EncoderModel,
    Wav2Vec2Config,
    Wav2Vec2Model,
    WhisperConfig,
    WhisperModel,
)

from a2v_core import places
from a2v_core.places import PLACES, belongs, describe, holds_model, place_called, place_of
from tests.audio.tiny import tiny_beats
from tests.tokens.tiny import tiny_mapper

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = {"block_out_channels": (8, 8), "layers_per_block": 1, "norm_num_groups": 4}
CROSS = {"attention_head_dim": 4, "cross_attention_dim": 8, **BLOCKS}
UNET_2D = {"down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D")}


def real_modules() -> dict[str, torch.nn.Module]:
    """Every kind for which there is a class, at toy size."""
    text = {"hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1}
    return {
        places.BEATS: tiny_beats(),
        places.MAPPER: tiny_mapper(),
        places.UNET: UNet3DConditionModel(
            down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
            up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
            **CROSS,
        ),
        places.PICTURE_UNET: UNet2DConditionModel(
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), **UNET_2D, **CROSS
        ),
        places.CONTROLNET: ControlNetModel(**UNET_2D, **CROSS),
        places.VAE: AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, **BLOCKS
        ),
        places.TEXT_ENCODER: CLIPTextModel(CLIPTextConfig(vocab_size=9, **text)),
        places.CLIP_VISION: CLIPVisionModelWithProjection(
            CLIPVisionConfig(image_size=8, patch_size=4, **text)
        ),
        places.OTHER_TEXT_ENCODER: T5EncoderModel(
            T5Config(vocab_size=9, d_model=8, d_ff=8, d_kv=4, num_layers=1, num_heads=2)
        ),
    }


def test_real_modules_are_recognised() -> None:
    for kind, module in real_modules().items():
        assert describe(module.state_dict()) == kind


def test_other_audio_encoders() -> None:
    whisper = WhisperModel(
        WhisperConfig(
            vocab_size=9, d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=8, decoder_ffn_dim=8, pad_token_id=0,
            bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
        )
    )  # fmt: skip
    wav2vec2 = Wav2Vec2Model(
        Wav2Vec2Config(
            vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
            conv_dim=(8,), conv_stride=(5,), conv_kernel=(10,), num_feat_extract_layers=1,
            num_conv_pos_embedding_groups=2,
        )
    )  # fmt: skip
    assert describe(whisper.state_dict()) == describe(wav2vec2.state_dict()) == places.OTHER_ENCODER


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        # Layouts of low-rank updates, as kohya, PEFT, diffusers, its processors and LyCORIS write them.
        (places.LORA, ["lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight"]),
        (places.LORA, ["base_model.model.down_blocks.0.attn1.to_k.lora_A.weight"]),
        (places.LORA, ["base_model.model.down_blocks.0.attn1.to_k.lora_A.default.weight"]),
        (places.LORA, ["unet.down_blocks.0.attentions.0.attn1.to_k.lora.down.weight", "x.lora.up.weight"]),
        (places.LORA, ["down_blocks.0.attn1.processor.to_q_lora.down.weight"]),
        (places.LORA, ["unet.up_blocks.0.to_k.lora_linear_layer.down.weight"]),
        (places.LORA, ["lora_unet_x.hada_w1_a", "lora_unet_x.hada_w1_b"]),
        (places.LORA, ["diffusion_model.blocks.0.cross_attn.k.lokr_w1", "blocks.0.x.lokr_w2_a"]),
        (places.LORA, ["unet.x.oft_blocks"]),
        (places.LORA, ["lycoris_x.a1.weight", "lycoris_x.b1.weight"]),
        (places.TURBO_LORA, ["0.lora_up", "0.lora_down"]),
        (places.MOTION_ADAPTER, ["down_blocks.0.motion_modules.0.temporal_transformer.norm.weight"]),
        (places.MOTION_ADAPTER, ["down_blocks.0.motion_modules.0.transformer_blocks.0.norm1.weight"]),
        (places.UNET, ["down_blocks.0.motion_modules.0.norm.weight", "time_embedding.linear_1.weight"]),
        (places.TEXT_ENCODER, ["text_model.embeddings.token_embedding.weight"]),
        (places.TEXT_ENCODER, ["embeddings.token_embedding.weight"]),
        (places.ORIGINAL_VAE, ["encoder.conv_in.weight", "decoder.conv_in.weight", "encoder.down.0.x"]),
        (
            places.ORIGINAL_UNET,
            ["model.diffusion_model.input_blocks.0.0.weight", "model.diffusion_model.time_embed.0.weight"],
        ),
        (
            places.ORIGINAL_T2V_UNET,
            ["input_blocks.0.0.weight", "time_embed.0.weight", "input_blocks.1.0.temopral_conv.x"],
        ),
        (
            places.ALL_IN_ONE,
            ["model.diffusion_model.input_blocks.0.0.weight", "first_stage_model.decoder.conv_in.weight"],
        ),
        (places.DIT, ["blocks.0.cross_attn.q.weight", "head.modulation"]),
        (places.DIT, ["double_blocks.0.img_attn.qkv.weight"]),
        (places.UNKNOWN, ["conv.weight"]),
        (places.UNKNOWN, []),
    ],
)  # fmt: skip
def test_kinds_by_their_keys(kind: str, keys: list[str]) -> None:
    assert describe(keys) == kind


def test_the_table_holds_together() -> None:
    kinds = [place.kind for place in PLACES]
    assert len(set(kinds)) == len(kinds)
    for place in PLACES:
        assert belongs(place.kind) == place.where
        assert place_of(place.kind) is place
        assert bool(place.folder) == bool(place.node)
        assert not place.demo or place_called(place.demo) is place
    assert belongs(places.UNKNOWN) == ""


def test_every_node_of_ours_that_it_names_is_there() -> None:
    """And every node with a file of a models folder in its dropdown is named; two loaders have none."""
    nodes = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "nodes").glob("load_*.py")))
    titles = set(re.findall(r'display_name="(Load [^"]+)"', nodes)) - {"Load Audio", "Load Demo CLIP (Wan)"}
    named = {place.node.split(" (")[0] for place in PLACES if not place.node.startswith("core's")} - {""}
    assert named == titles


def test_a_lora_has_a_node_of_this_pack() -> None:
    assert belongs(places.LORA) == (
        "in models/loras, for Load T2V Model (lora_name) if it was made for that model, "
        "else for core's Load LoRA"
    )
    assert belongs(places.TURBO_LORA) == "in models/loras, for Load T2V Model (lora_name)"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["model_index.json", "README.md"], True),
        (["sd15.safetensors", "mm.CKPT"], True),
        (["sd15.safetensors", "notes.txt"], False),
        (["sd15.safetensors", "._sd15.safetensors"], False),
        (["config.json", "model-1.safetensors", "model-2.safetensors"], False),
    ],
)
def test_which_folders_may_be_models(names: list[str], expected: bool) -> None:
    """A part of a model, whose weights may be in pieces, is none."""
    assert holds_model(names) == expected
