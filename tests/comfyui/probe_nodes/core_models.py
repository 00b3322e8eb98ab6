"""Core's own classes for Stable Diffusion at toy size, with random weights: UNet, CLIP and its tokenizer."""

from __future__ import annotations

from typing import Any

import comfy.model_patcher
import comfy.sd
import comfy.sd1_clip
import comfy.sdxl_clip
import comfy.supported_models
import folder_paths
import torch
from comfy_api.latest import io

LEVELS = {"channel_mult": [1, 2], "num_res_blocks": [1, 1], "transformer_depth": [1, 1]}
UNET = {
    **LEVELS,
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 32,
    "transformer_depth_output": [1, 1, 1, 1],
    "transformer_depth_middle": 1,
    "use_spatial_transformer": True,
    "use_linear_in_transformer": False,
    "adm_in_channels": None,
    "use_temporal_attention": False,
    "legacy": False,
    "dtype": torch.float32,
}


def _filled(module: torch.nn.Module, seed: int) -> None:
    """Core leaves weights as memory was: they come from a file."""
    generator = torch.Generator().manual_seed(seed)
    for name, weight in module.named_parameters():
        scale = 0.02 if weight.ndim < 2 else min(1.0, 1.5 / weight[0].numel() ** 0.5)
        weight.data = torch.randn(weight.shape, generator=generator) * scale
        if name.endswith("norm.weight") or ("norm" in name and name.endswith("weight") and weight.ndim == 1):
            weight.data += 1.0


class _Target:
    def __init__(self, clip: Any, tokenizer: Any) -> None:
        self.clip, self.tokenizer = clip, tokenizer
        self.params: dict[str, Any] = {}


def _clip(kind: str, width: int) -> Any:
    sizes = {"hidden_size": width, "intermediate_size": 2 * width, "num_hidden_layers": 3}
    config = {**sizes, "num_attention_heads": 4}
    options: dict[str, Any] = {
        "clip_l_model_config": config,
        "clip_g_model_config": {**config, "hidden_size": width + 8},
    }
    classes = {
        "sd1": (comfy.sd1_clip.SD1ClipModel, comfy.sd1_clip.SD1Tokenizer),
        "sdxl": (comfy.sdxl_clip.SDXLClipModel, comfy.sdxl_clip.SDXLTokenizer),
    }
    folders = folder_paths.get_folder_paths("embeddings")
    options["dtype"] = torch.float32
    clip = comfy.sd.CLIP(_Target(*classes[kind]), embedding_directory=folders, model_options=options)
    _filled(clip.cond_stage_model, 1)
    return clip


class ProbeSD(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.String.Input("kind", default="sd1"), io.Int.Input("width", default=32)]
        outputs = [io.Model.Output(), io.Clip.Output()]
        return io.Schema(node_id="ProbeSD", inputs=inputs, outputs=outputs)

    @classmethod
    def execute(cls, kind: str, width: int) -> io.NodeOutput:
        config = comfy.supported_models.SD15({**UNET, "context_dim": width})
        config.set_inference_dtype(torch.float32, None)
        model = config.get_model({}, "")
        _filled(model.diffusion_model, 0)
        device = torch.device("cpu")
        patcher = comfy.model_patcher.ModelPatcher(model, load_device=device, offload_device=device)
        return io.NodeOutput(patcher, _clip(kind, width))


class ProbeFrame(io.ComfyNode):
    """The row of one frame of a CONDITIONING."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [io.Conditioning.Input("conditioning"), io.Int.Input("frame")]
        return io.Schema(node_id="ProbeFrame", inputs=inputs, outputs=[io.Conditioning.Output()])

    @classmethod
    def execute(cls, conditioning: Any, frame: int) -> io.NodeOutput:
        return io.NodeOutput([[states[frame : frame + 1], extra] for states, extra in conditioning])
