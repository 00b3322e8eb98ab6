"""Names of Wan's weights in ComfyUI's own layout, which is that of the published files.

ComfyUI does not read Wan in the diffusers layout. Only names differ: every tensor stays as it is. The
transformer of any Wan 2.1 or 2.2 text- or image-to-video model; the VAE of Wan 2.1. diffusers'
`convert_wan_transformer_to_diffusers` and `convert_wan_vae_to_diffusers` go the other way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from ...errors import A2VError

Rule = tuple[str, str | Callable[[re.Match[str]], str]]

_ATTENTION = {"attn1": "self_attn", "attn2": "cross_attn"}

# A pattern for the whole name in the diffusers layout, and ComfyUI's name.
_TRANSFORMER: Sequence[Rule] = (
    (r"patch_embedding\.(\w+)", r"patch_embedding.\1"),
    (r"condition_embedder\.(time|text)_embedder\.linear_1\.(\w+)", r"\1_embedding.0.\2"),
    (r"condition_embedder\.(time|text)_embedder\.linear_2\.(\w+)", r"\1_embedding.2.\2"),
    (r"condition_embedder\.time_proj\.(\w+)", r"time_projection.1.\1"),
    (r"condition_embedder\.image_embedder\.norm1\.(\w+)", r"img_emb.proj.0.\1"),
    (r"condition_embedder\.image_embedder\.ff\.net\.0\.proj\.(\w+)", r"img_emb.proj.1.\1"),
    (r"condition_embedder\.image_embedder\.ff\.net\.2\.(\w+)", r"img_emb.proj.3.\1"),
    (r"condition_embedder\.image_embedder\.norm2\.(\w+)", r"img_emb.proj.4.\1"),
    (r"proj_out\.(\w+)", r"head.head.\1"),
    (r"scale_shift_table", r"head.modulation"),
    (r"(blocks\.\d+)\.scale_shift_table", r"\1.modulation"),
    # Of the two norms without attention, only the one before the text has weights.
    (r"(blocks\.\d+)\.norm2\.(\w+)", r"\1.norm3.\2"),
    (r"(blocks\.\d+)\.ffn\.net\.0\.proj\.(\w+)", r"\1.ffn.0.\2"),
    (r"(blocks\.\d+)\.ffn\.net\.2\.(\w+)", r"\1.ffn.2.\2"),
    (r"(blocks\.\d+)\.(attn[12])\.to_([qkv])\.(\w+)", lambda m: f"{m[1]}.{_ATTENTION[m[2]]}.{m[3]}.{m[4]}"),
    (r"(blocks\.\d+)\.(attn[12])\.to_out\.0\.(\w+)", lambda m: f"{m[1]}.{_ATTENTION[m[2]]}.o.{m[3]}"),
    (
        r"(blocks\.\d+)\.(attn[12])\.norm_([qk])\.(\w+)",
        lambda m: f"{m[1]}.{_ATTENTION[m[2]]}.norm_{m[3]}.{m[4]}",
    ),
    (r"(blocks\.\d+)\.attn2\.add_([kv])_proj\.(\w+)", r"\1.cross_attn.\2_img.\3"),
    (r"(blocks\.\d+)\.attn2\.norm_added_k\.(\w+)", r"\1.cross_attn.norm_k_img.\2"),
)

# In a block of residuals: what each layer of diffusers is called.
_RESIDUAL = {"norm1": "residual.0", "conv1": "residual.2", "norm2": "residual.3", "conv2": "residual.6"}
_RESIDUAL["conv_shortcut"] = "shortcut"
# Of a level of the decoder: its residual blocks, and the upsampler after them.
_RESNETS = 3
_LEVEL = _RESNETS + 1
_LAYER = r"(norm1|conv1|norm2|conv2|conv_shortcut)"

_VAE: Sequence[Rule] = (
    (r"quant_conv\.(\w+)", r"conv1.\1"),
    (r"post_quant_conv\.(\w+)", r"conv2.\1"),
    (r"(encoder|decoder)\.conv_in\.(\w+)", r"\1.conv1.\2"),
    (r"(encoder|decoder)\.norm_out\.(\w+)", r"\1.head.0.\2"),
    (r"(encoder|decoder)\.conv_out\.(\w+)", r"\1.head.2.\2"),
    (r"(encoder|decoder)\.mid_block\.attentions\.0\.(.+)", r"\1.middle.1.\2"),
    (
        rf"(encoder|decoder)\.mid_block\.resnets\.([01])\.{_LAYER}\.(\w+)",
        lambda m: f"{m[1]}.middle.{2 * int(m[2])}.{_RESIDUAL[m[3]]}.{m[4]}",
    ),
    (
        rf"encoder\.down_blocks\.(\d+)\.{_LAYER}\.(\w+)",
        lambda m: f"encoder.downsamples.{m[1]}.{_RESIDUAL[m[2]]}.{m[3]}",
    ),
    (r"encoder\.down_blocks\.(\d+)\.(resample\.1|time_conv)\.(\w+)", r"encoder.downsamples.\1.\2.\3"),
    (
        rf"decoder\.up_blocks\.(\d+)\.resnets\.([0-{_RESNETS - 1}])\.{_LAYER}\.(\w+)",
        lambda m: f"decoder.upsamples.{_LEVEL * int(m[1]) + int(m[2])}.{_RESIDUAL[m[3]]}.{m[4]}",
    ),
    (
        r"decoder\.up_blocks\.(\d+)\.upsamplers\.0\.(resample\.1|time_conv)\.(\w+)",
        lambda m: f"decoder.upsamples.{_LEVEL * int(m[1]) + _RESNETS}.{m[2]}.{m[3]}",
    ),
)


def core_transformer(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of a WanTransformer3DModel under ComfyUI's names.

    ComfyUI loads it if the heads are 128 wide and the text 4096. A2VError for names of another model.
    """
    return _renamed(tensors, _TRANSFORMER, "WanTransformer3DModel")


def core_vae(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of an AutoencoderKLWan under ComfyUI's names.

    ComfyUI takes mean and deviation of its latents from Wan 2.1, whatever the config says. A2VError for names
    of another model, such as the VAE of Wan 2.2.
    """
    return _renamed(tensors, _VAE, "AutoencoderKLWan of Wan 2.1")


def _renamed(tensors: Mapping[str, Tensor], rules: Sequence[Rule], model: str) -> dict[str, Tensor]:
    return {_core_name(name, rules, model): tensor for name, tensor in tensors.items()}


def _core_name(name: str, rules: Sequence[Rule], model: str) -> str:
    for pattern, replacement in rules:
        if match := re.fullmatch(pattern, name):
            return replacement(match) if callable(replacement) else match.expand(replacement)
    raise A2VError(f"{name}: is no weight of {model}; expected its state dict in the diffusers layout")
