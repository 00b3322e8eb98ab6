"""AudioMapper: audio features -> one token per video frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from comfy_api.latest import io

from ..a2v_core.audio import AudioFeatures
from ..a2v_core.errors import A2VError
from . import runtime
from .beats import FEATURES_KEY
from .mapper import ManagedMapper
from .sockets import CATEGORY, FrameTokens, Mapper


class A2VAudioMapper(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VAudioMapper",
            display_name="AudioMapper",
            category=CATEGORY,
            description=(
                "Maps what BEATs heard to one token per video frame, in the space of the text encoder's "
                "words. Decides how many frames the video has and at which rate."
            ),
            inputs=[
                Mapper.Input("mapper", tooltip="From Load AudioMapper."),
                io.AudioEncoderOutput.Input("audio_features", tooltip="From BEATs Encode."),
                io.Int.Input(
                    "num_frames",
                    default=0,
                    min=0,
                    max=100000,
                    tooltip=(
                        "Frames of the video; 0 = as long as the sound. Past its end the sound's last step "
                        "holds."
                    ),
                ),
                io.Float.Input(
                    "fps",
                    default=12.0,
                    min=0.01,
                    max=1000.0,
                    step=0.001,  # finer than 23.976: the front end rounds to it
                    tooltip=(
                        "Frames per second of the video; frame n hears the sound at n / fps seconds. Demo: "
                        "12."
                    ),
                ),
                io.Int.Input(
                    "batch_index",
                    default=0,
                    min=0,
                    max=4095,
                    tooltip="Which sound of a batch, counted from 0. A loaded file is a batch of one.",
                ),
            ],
            outputs=[
                FrameTokens.Output(
                    display_name="frame_tokens", tooltip="One token per frame, for the pooling."
                ),
                io.Float.Output(display_name="fps", tooltip="Frames per second, as set."),
                io.Int.Output(
                    display_name="num_frames", tooltip="Frames of the video, counted when 0 was set."
                ),
            ],
        )

    @classmethod
    def execute(
        cls, mapper: ManagedMapper, audio_features: Any, num_frames: int, fps: float, batch_index: int
    ) -> io.NodeOutput:
        features = audio_features.get(FEATURES_KEY) if isinstance(audio_features, Mapping) else None
        if not isinstance(features, AudioFeatures):
            raise A2VError(
                "AudioMapper: these audio features are not from BEATs. Encode the sound with Load BEATs and "
                "BEATs Encode"
            )
        tokens = mapper.ready().frame_tokens(features, num_frames, fps, batch_index)
        tail = None if tokens.tail is None else runtime.intermediate(tokens.tail)
        tokens = replace(tokens, tokens=runtime.intermediate(tokens.tokens), tail=tail)
        return io.NodeOutput(tokens, tokens.fps, tokens.num_frames)
