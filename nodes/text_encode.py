"""Text Encode (Audio Tokens): a prompt with audio words -> ComfyUI's CONDITIONING, one row per frame."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..a2v_core.tokens import DEFAULT_PROMPT
from ..a2v_core.tokens import AudioTokens as Tokens
from . import runtime
from .clip_prompt import encode_text
from .sockets import CATEGORY, AudioTokens, T2VModel
from .t2v_model import ManagedT2V

NODE = "Text Encode (Audio Tokens)"


class A2VTextEncode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VTextEncode",
            display_name="Text Encode (Audio Tokens)",
            category=CATEGORY,
            description=(
                "Encodes a prompt with the words of a sound for other samplers: CONDITIONING with one row "
                "per frame. KSampler gives row n to latent n of a batch, and so do packs for animation such "
                "as AnimateDiff."
            ),
            inputs=[
                io.MultiType.Input(
                    "clip",
                    types=[io.Clip, T2VModel],
                    tooltip=(
                        "The text encoder: a CLIP, or the text encoder of a model from Load T2V Model. Its "
                        "width has to be that of the audio tokens: SD 1.5 768, SD 2.x 1024."
                    ),
                ),
                io.String.Input(
                    "text",
                    multiline=True,
                    dynamic_prompts=True,
                    default=DEFAULT_PROMPT,
                    tooltip=(
                        "Text, with the words of the audio tokens anywhere in it, as in T2V Sampler. With a "
                        "CLIP also weights such as (<temp>:1.2) and embeddings, as in CLIP Text Encode."
                    ),
                ),
                AudioTokens.Input(
                    "audio_tokens",
                    optional=True,
                    tooltip=(
                        "From Temporal Context Pooling. Without them the text is plain: one row for all "
                        "frames."
                    ),
                ),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="conditioning",
                    tooltip=(
                        "Shape [frames, tokens, width]. Sample a batch of as many latents: connect "
                        "num_frames of AudioMapper to batch_size of Empty Latent Image."
                    ),
                )
            ],
        )

    @classmethod
    def execute(cls, clip: Any, text: str, audio_tokens: Tokens | None = None) -> io.NodeOutput:
        if not isinstance(clip, ManagedT2V):
            return io.NodeOutput(encode_text(clip, text, audio_tokens, NODE))
        frames = 1 if audio_tokens is None else audio_tokens.num_frames
        context = clip.encode_prompt(text, audio_tokens, frames)
        return io.NodeOutput([[runtime.intermediate(context.per_frame), {}]])
