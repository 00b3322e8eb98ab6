"""Tiny models in ComfyUI's own layouts, with random weights from a seed: Wan, LTX-Video and a LoRA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from a2v_core.backbones.dit import AudioAdapter, save_adapter
from a2v_core.backbones.wan import core_transformer, core_vae
from a2v_core.tokens import AudioMapper
from tests.golden_recipe import fill_module
from tests.tiny_adapter import heard, wan_config

WIDTH, TEXT_WIDTH, LAYERS, TOKEN_WIDTH = 128, 4096, 3, 32  # ComfyUI loads no narrower Wan
LTX_WIDTH, LTX_CHANNELS = 32 * 8, 128


def wan_transformer(seed: int = 0, layers: int = LAYERS, **options: Any) -> Any:
    """A WanTransformer3DModel of one head, all of whose weights count alike."""
    from diffusers import WanTransformer3DModel

    torch.manual_seed(seed)
    model = WanTransformer3DModel(
        num_attention_heads=1,
        attention_head_dim=WIDTH,
        text_dim=TEXT_WIDTH,
        ffn_dim=256,
        num_layers=layers,
        rope_max_seq_len=64,
        **options,
    )
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    return model.eval().requires_grad_(False)


def write_wan(path: Path, **options: Any) -> None:
    """A file for models/diffusion_models."""
    save_file(core_transformer(wan_transformer(**options).state_dict()), path)


def write_wan_with_reference(path: Path) -> None:
    """As those of the Fun series, which put the tokens of a reference picture before the video's."""
    reference = fill_module({"ref_conv.weight": (WIDTH, 16, 2, 2), "ref_conv.bias": (WIDTH,)})
    save_file({**core_transformer(wan_transformer().state_dict()), **reference}, path)


def write_vace(path: Path) -> None:
    """A VACE: a second row of blocks, here of one, whose outputs are added to the stream."""
    weights = core_transformer(wan_transformer().state_dict())
    beside = {name: tensor for name, tensor in weights.items() if name.startswith("blocks.0.")}
    layout: dict[str, tuple[int, ...]] = {"vace_patch_embedding.weight": (WIDTH, 96, 1, 2, 2)}
    layout |= {f"vace_blocks.0.{name}_proj.weight": (WIDTH, WIDTH) for name in ("before", "after")}
    layout |= {f"vace_blocks.0.{name}_proj.bias": (WIDTH,) for name in ("before", "after")}
    layout |= {"vace_patch_embedding.bias": (WIDTH,)}
    own = {f"vace_{name}": tensor.clone() for name, tensor in beside.items()}
    save_file({**weights, **own, **fill_module(layout)}, path)


def write_wan_vae(path: Path) -> None:
    """A file for models/vae."""
    from diffusers import AutoencoderKLWan

    torch.manual_seed(0)
    save_file(core_vae(AutoencoderKLWan(base_dim=4).state_dict()), path)


def write_ltx(path: Path, layers: int = 2) -> None:
    """An LTX-Video of 32 heads, 8 wide, for models/diffusion_models, by the names of its published files."""
    shapes: dict[str, tuple[int, ...]] = {
        "patchify_proj": (LTX_WIDTH, LTX_CHANNELS),
        "adaln_single.emb.timestep_embedder.linear_1": (LTX_WIDTH, 256),
        "adaln_single.emb.timestep_embedder.linear_2": (LTX_WIDTH, LTX_WIDTH),
        "adaln_single.linear": (6 * LTX_WIDTH, LTX_WIDTH),
        "caption_projection.linear_1": (LTX_WIDTH, TEXT_WIDTH),
        "caption_projection.linear_2": (LTX_WIDTH, LTX_WIDTH),
        "proj_out": (LTX_CHANNELS, LTX_WIDTH),
    }
    for block in (f"transformer_blocks.{number}" for number in range(layers)):
        for attention in ("attn1", "attn2"):
            for part in ("to_q", "to_k", "to_v", "to_out.0"):
                shapes[f"{block}.{attention}.{part}"] = (LTX_WIDTH, LTX_WIDTH)
        shapes[f"{block}.ff.net.0.proj"] = (4 * LTX_WIDTH, LTX_WIDTH)
        shapes[f"{block}.ff.net.2"] = (LTX_WIDTH, 4 * LTX_WIDTH)
    whole: dict[str, tuple[int, ...]] = {"scale_shift_table": (2, LTX_WIDTH)}
    whole |= {f"{name}.weight": shape for name, shape in shapes.items()}
    whole |= {f"{name}.bias": shape[:1] for name, shape in shapes.items()}
    for block in (f"transformer_blocks.{number}" for number in range(layers)):
        whole[f"{block}.scale_shift_table"] = (6, LTX_WIDTH)
        for attention in ("attn1", "attn2"):
            for norm in ("q_norm", "k_norm"):
                whole[f"{block}.{attention}.{norm}.weight"] = (LTX_WIDTH,)
    save_file(fill_module(whole), path)


def write_lora(path: Path, blocks: int = LAYERS) -> None:
    """A rank 2 update of the text attention of every block, under ComfyUI's names."""
    layout = {
        f"diffusion_model.blocks.{block}.cross_attn.{part}.lora_{side}.weight": shape
        for block in range(blocks)
        for part in "qv"
        for side, shape in (("A", (2, WIDTH)), ("B", (WIDTH, 2)))
    }
    save_file({name: 3 * weight for name, weight in fill_module(layout).items()}, path)


def adapter_for(mapper: AudioMapper, **changes: Any) -> AudioAdapter:
    """An audio adapter for the tiny Wan that is heard well."""
    sizes: dict[str, Any] = {"width": WIDTH, "layers": LAYERS, "token_width": TOKEN_WIDTH}
    made = heard(wan_config(**(sizes | changes)), mapper)
    for own in (made.sub_frame, made.kind):
        own.copy_(fill_module({"embedding": own})["embedding"])
    return made


def write_adapter(path: Path, mapper: AudioMapper, **changes: Any) -> AudioAdapter:
    """A file for models/a2v_audio_adapters; gives what is in it."""
    adapter = adapter_for(mapper, **changes)
    save_adapter(path, adapter)
    return adapter
