"""Temporal Context Pooling: frame tokens -> the pseudo-words of every frame."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..a2v_core.tokens import CHUNK_FRAMES, pool_long
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
                io.Int.Input(
                    "class_window",
                    default=CHUNK_FRAMES,
                    min=0,
                    max=100000,
                    optional=True,
                    tooltip=(
                        "In a sound of more frames than this, `<class>` is half what so many frames around "
                        "a frame sound like, half the whole; 0 = always the whole sound, as published."
                    ),
                ),
            ],
            outputs=[
                AudioTokens.Output(
                    display_name="audio_tokens",
                    tooltip="The words of every frame, to stand in the prompt of T2V Sampler.",
                )
            ],
        )

    @classmethod
    def execute(
        cls, mapper: ManagedMapper, frame_tokens: Any, class_window: int = CHUNK_FRAMES
    ) -> io.NodeOutput:
        pooled = pool_long(mapper.ready(), frame_tokens, class_window)
        words = {word: runtime.intermediate(tokens) for word, tokens in pooled.words.items()}
        attention = None if pooled.attention is None else runtime.intermediate(pooled.attention)
        return io.NodeOutput(Tokens(words, pooled.fps, attention, mapper.fingerprint))
