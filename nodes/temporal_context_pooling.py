"""Temporal Context Pooling: frame tokens -> the pseudo-words of every frame."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..a2v_core.tokens import AudioTokens as Tokens
from . import runtime
from .mapper import ManagedMapper
from .sockets import CATEGORY, AudioTokens, FrameTokens, Mapper


class A2VTemporalContextPooling(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VTemporalContextPooling",
            display_name="Temporal Context Pooling",
            category=CATEGORY,
            description=(
                "Lets every frame see the sound around it: windows of growing length give the words "
                "`<local1>` to `<local4>`, attention over the clip gives `<class>`, the frame itself is "
                "`<temp>`."
            ),
            inputs=[
                Mapper.Input("mapper", tooltip="From Load AudioMapper: the one that made the frame tokens."),
                FrameTokens.Input("frame_tokens", tooltip="From AudioMapper."),
            ],
            outputs=[
                AudioTokens.Output(
                    display_name="audio_tokens",
                    tooltip="The words of every frame, to stand in the prompt of T2V Sampler.",
                )
            ],
        )

    @classmethod
    def execute(cls, mapper: ManagedMapper, frame_tokens: Any) -> io.NodeOutput:
        pooled = mapper.ready().pool(frame_tokens)
        words = {word: runtime.intermediate(tokens) for word, tokens in pooled.words.items()}
        attention = None if pooled.attention is None else runtime.intermediate(pooled.attention)
        return io.NodeOutput(Tokens(words, pooled.fps, attention))
