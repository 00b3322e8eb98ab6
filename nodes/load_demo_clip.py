"""Load Demo CLIP (Wan): the text encoder of the bundled Wan, in the place of core's Load CLIP."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..a2v_core.backbones.wan import CORE_WIDTH, load_text
from ..a2v_core.demo import demo_path
from . import runtime
from .core_clip import core_clip, padded_text, text_home
from .sockets import CATEGORY


class A2VLoadDemoCLIP(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VLoadDemoCLIP",
            display_name="Load Demo CLIP (Wan)",
            category=CATEGORY,
            description=(
                "The text encoder of the bundled Wan (a2v_demo_wan.safetensors). It stands where Load CLIP "
                "stands in a graph with a full-size Wan, which needs its own UMT5."
            ),
            inputs=[],
            outputs=[
                io.Clip.Output(
                    display_name="clip",
                    tooltip="For CLIP Text Encode. Texts have up to 30 tokens: they should be short.",
                )
            ],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        clip, tokenizer = load_text(demo_path("t2v"), CORE_WIDTH, torch.float32)
        text = padded_text(clip, tokenizer)
        managed = runtime.Managed(clip.encoder, runtime.text_devices(), text_home(text))
        return io.NodeOutput(core_clip(text, managed))
